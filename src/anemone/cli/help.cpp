// Lays out help: names to the left, sentences wrapped to the right.
#include "anemone/cli/help.h"

#include <fmt/format.h>

#include <algorithm>

#include "anemone/report/json_parts.h"
#include "anemone/report/words.h"

namespace anemone::cli {
namespace {

using report::columns, report::wrapped;

struct Row {
  std::string left, right;
};

std::string padded(std::string_view text, std::size_t width) {
  return std::string(text) + std::string(width - std::min(width, columns(text)), ' ');
}

std::string table(const std::vector<Row>& rows, std::size_t widest, std::size_t page) {
  std::size_t width = 0;
  for (const Row& row : rows) {
    if (columns(row.left) <= widest) width = std::max(width, columns(row.left));
  }
  std::string out;
  for (const Row& row : rows) {
    if (columns(row.left) > width) {  // too long for the column: the sentence goes to the next line
      out += fmt::format("  {}\n{:{}}{}\n", row.left, "", width + 4, wrapped(row.right, width + 4, page));
    } else {
      out += fmt::format("  {}  {}\n", padded(row.left, width), wrapped(row.right, width + 4, page));
    }
  }
  return out;
}

std::string indented(std::string_view lines) {
  std::string out;
  while (!lines.empty()) {
    const std::size_t end = std::min(lines.find('\n'), lines.size());
    out += end == 0 ? "\n" : fmt::format("  {}\n", lines.substr(0, end));
    lines.remove_prefix(std::min(lines.size(), end + 1));
  }
  return out;
}

/// Details are written in lines for the source's sake: they become one paragraph, a line that ends a sentence ends it.
std::string paragraphs(std::string_view lines, std::size_t width) {
  std::string text;
  for (const char c : lines) text += c == '\n' ? ' ' : c;
  return "  " + wrapped(text, 2, width) + '\n';
}

std::string names_of(const Options::Option& option) {
  const std::size_t comma = option.names.find(',');
  std::string names = comma == std::string::npos
                          ? fmt::format("{}{}", option.names.substr(0, 2) == "--" ? "    " : "", option.names)
                          : fmt::format("{}{}, {}", option.names.substr(0, 2) == "--" ? "    " : "",
                                        option.names.substr(0, comma), option.names.substr(comma + 1));
  return option.placeholder.empty() ? names : fmt::format("{} {}", names, option.placeholder);
}

std::string sentence_of(const Options::Option& option) {
  if (option.required) return option.help + " (required)";
  return option.shown_default.empty() ? option.help : fmt::format("{} (default {})", option.help, option.shown_default);
}

/// One heading per group; options without a group come first, the common ones last.
std::string option_tables(const Options& options, std::size_t width) {
  const std::size_t widest = width < 80 ? 22 : 30;
  std::vector<std::string> titles{""};
  for (const Options::Option& option : options.options()) {
    if (std::find(titles.begin(), titles.end(), option.group) == titles.end()) titles.push_back(option.group);
  }
  std::string out;
  for (const std::string& title : titles) {
    std::vector<Row> rows;
    if (title.empty()) {
      for (const Options::Argument& argument : options.arguments())
        rows.push_back({argument.placeholder, argument.help});
    }
    for (const Options::Option& option : options.options()) {
      if (option.group == title) rows.push_back({names_of(option), sentence_of(option)});
    }
    if (!rows.empty())
      out += fmt::format("\n{}:\n{}", title.empty() ? "arguments and options" : title, table(rows, widest, width));
  }
  return out;
}

}  // namespace

std::string verb_help(const Verb& verb, const Options& options, bool full, std::size_t width) {
  std::string out = wrapped(fmt::format("anemone {}: {}", verb.name, verb.summary), 2, width) + "\n\n" +
                    wrapped(fmt::format("usage: anemone {}{}{} [options]", verb.name, verb.arguments.empty() ? "" : " ",
                                        verb.arguments),
                            7, width) +
                    '\n';
  if (full && !verb.details.empty()) out += fmt::format("\n{}", paragraphs(verb.details, width));
  out += option_tables(options, width);
  if (!full) return out + fmt::format("\n'anemone {} --help' adds examples and exit codes\n", verb.name);
  if (!verb.examples.empty()) out += fmt::format("\nexamples:\n{}", indented(verb.examples));
  std::vector<Row> codes{{"0", verb.says_no.empty() ? "done" : "done, and the answer is yes"}};
  if (!verb.says_no.empty()) codes.push_back({"1", fmt::format("the answer is no: {}", verb.says_no)});
  codes.push_back({"2", "the command line is wrong"});
  codes.push_back({"3", "the input is unreadable, corrupt, malicious or not supported"});
  codes.push_back({"4", "the environment failed: cannot write, disk full, out of memory"});
  codes.push_back({"70", "a bug in anemone; the message says how to report it"});
  return out + fmt::format("\nexit codes:\n{}", table(codes, 2, width));
}

std::string verbs_json(std::span<const Verb* const> verbs) {
  report::Json list = report::Json::array();
  for (const Verb* verb : verbs)
    list.push_back({{"name", verb->name}, {"arguments", verb->arguments}, {"summary", verb->summary}});
  return report::dump({{"schema", "anemone.help/1"}, {"verbs", list}});
}

std::string program_help(std::span<const Verb* const> verbs, std::size_t width) {
  std::string out = wrapped("anemone: gets vision networks onto Apple's Neural Engine, with proof", 2, width) +
                    "\n\nusage: anemone <verb> [arguments] [options]\n";
  constexpr std::pair<VerbGroup, std::string_view> kGroups[] = {{VerbGroup::main, "from a checkpoint to a package"},
                                                                {VerbGroup::look, "look into files"},
                                                                {VerbGroup::faces, "faces"},
                                                                {VerbGroup::table, "look up"}};
  for (const auto& [group, title] : kGroups) {
    std::vector<Row> rows;
    for (const Verb* verb : verbs) {
      if (verb->group == group) rows.push_back({std::string(verb->name), std::string(verb->summary)});
    }
    if (group == VerbGroup::table) rows.push_back({"help [VERB]", "this page, or all about one verb"});
    if (!rows.empty()) out += fmt::format("\n{}:\n{}", title, table(rows, 20, width));
  }
  out +=
      "\nexamples:\n"
      "  anemone convert Landmark_98.pkl -o star.mlpackage\n"
      "  anemone verify star.mlpackage --against Landmark_98.pkl\n"
      "  anemone plan star.mlpackage --device m1\n";
  out += '\n' +
         wrapped(
             "exit codes: 0 done or yes, 1 the answer is no, 2 wrong command line, 3 bad input, 4 the "
             "environment failed, 70 a bug in anemone",
             2, width) +
         '\n';
  return out + '\n' +
         wrapped(
             "'anemone <verb> -h' lists the options of a verb, '--help' adds examples and exit codes; "
             "'anemone --version' prints the version",
             2, width) +
         '\n';
}

}  // namespace anemone::cli
