// Lays out help in 100 columns: names to the left, sentences wrapped to the right.
#include "anemone/cli/help.h"

#include <fmt/format.h>

#include <algorithm>

#include "anemone/report/words.h"

namespace anemone::cli {
namespace {

using report::columns, report::wrapped;

constexpr std::size_t kColumns = 100;

struct Row {
  std::string left, right;
};

std::string padded(std::string_view text, std::size_t width) {
  return std::string(text) + std::string(width - std::min(width, columns(text)), ' ');
}

std::string table(const std::vector<Row>& rows, std::size_t widest) {
  std::size_t width = 0;
  for (const Row& row : rows) {
    if (columns(row.left) <= widest) width = std::max(width, columns(row.left));
  }
  std::string out;
  for (const Row& row : rows) {
    if (columns(row.left) > width) {  // too long for the column: the sentence goes to the next line
      out += fmt::format("  {}\n{:{}}{}\n", row.left, "", width + 4, wrapped(row.right, width + 4, kColumns));
    } else {
      out += fmt::format("  {}  {}\n", padded(row.left, width), wrapped(row.right, width + 4, kColumns));
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

std::string names_of(const Options::Option& option) {
  const std::size_t comma = option.names.find(',');
  std::string names = comma == std::string::npos
                          ? fmt::format("{}{}", option.names.substr(0, 2) == "--" ? "    " : "", option.names)
                          : fmt::format("{}, {}", option.names.substr(0, comma), option.names.substr(comma + 1));
  return option.placeholder.empty() ? names : fmt::format("{} {}", names, option.placeholder);
}

std::string sentence_of(const Options::Option& option) {
  if (option.required) return option.help + " (required)";
  return option.shown_default.empty() ? option.help : fmt::format("{} (default {})", option.help, option.shown_default);
}

/// One heading per group; options without a group come first, the common ones last.
std::string option_tables(const Options& options) {
  constexpr std::size_t kWidest = 30;
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
      out += fmt::format("\n{}:\n{}", title.empty() ? "arguments and options" : title, table(rows, kWidest));
  }
  return out;
}

}  // namespace

std::string verb_help(const Verb& verb, const Options& options, bool full) {
  std::string out = fmt::format("anemone {}: {}\n\nusage: anemone {}{}{} [options]\n", verb.name, verb.summary,
                                verb.name, verb.arguments.empty() ? "" : " ", verb.arguments);
  if (full && !verb.details.empty()) out += fmt::format("\n{}", indented(verb.details));
  out += option_tables(options);
  if (!full) return out + fmt::format("\n'anemone {} --help' adds examples and exit codes\n", verb.name);
  if (!verb.examples.empty()) out += fmt::format("\nexamples:\n{}", indented(verb.examples));
  std::vector<Row> codes{{"0", verb.says_no.empty() ? "done" : "done, and the answer is yes"}};
  if (!verb.says_no.empty()) codes.push_back({"1", fmt::format("the answer is no: {}", verb.says_no)});
  codes.push_back({"2", "the command line is wrong"});
  codes.push_back({"3", "the input is unreadable, corrupt, malicious or not supported"});
  codes.push_back({"4", "the environment failed: cannot write, disk full, out of memory"});
  codes.push_back({"70", "a bug in anemone; the message says how to report it"});
  return out + fmt::format("\nexit codes:\n{}", table(codes, 2));
}

std::string program_help(std::span<const Verb* const> verbs) {
  std::vector<Row> rows;
  for (const Verb* verb : verbs) rows.push_back({std::string(verb->name), std::string(verb->summary)});
  rows.push_back({"help [VERB]", "this page, or all about one verb"});
  return "anemone: gets vision networks onto Apple's Neural Engine, from Linux\n\n"
         "usage: anemone <verb> [arguments] [options]\n\nverbs:\n" +
         table(rows, 20) +
         "\n'anemone <verb> -h' lists the options of a verb, '--help' adds examples and exit codes;\n"
         "'anemone --version' prints the version\n";
}

}  // namespace anemone::cli
