// Dispatch, and the last line of defence: out of memory is the environment's fault, other exceptions are ours.
#include "anemone/cli/program.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <filesystem>
#include <new>
#include <vector>

#include "anemone/cli/help.h"
#include "anemone/cli/word_lists.h"
#include "anemone/report/diagnostics.h"
#include "anemone/support/mapping.h"
#include "anemone/toolchain/bench.h"

namespace anemone::cli {
namespace {

const Verb* find_verb(std::string_view name, std::span<const Verb* const> verbs) {
  for (const Verb* verb : verbs) {
    if (verb->name == name) return verb;
  }
  return nullptr;
}

/// On stderr, and where JSON was asked for as the one object on stdout.
int told(const Diagnostic& problem, std::span<const char* const> words, Terminal& terminal) {
  terminal.diagnose(problem);
  const int code = exit_code(problem.blame);
  if (asks_for_json(words)) terminal.out(report::errors_json({problem}, code));
  return code;
}

/// What other tools call it.
struct Synonym {
  std::string_view said, verb;
};
constexpr Synonym kSynonyms[] = {
    {"inspect", "analyze"},   {"info", "analyze"},    {"analyse", "analyze"}, {"summary", "analyze"},
    {"show", "print"},        {"dump", "print"},      {"cat", "print"},       {"compile", "convert"},
    {"build", "convert"},     {"compare", "verify"},  {"diff", "verify"},     {"check", "verify"},
    {"test", "verify"},       {"benchmark", "bench"}, {"time", "bench"},      {"profile", "bench"},
    {"predict", "run"},       {"infer", "run"},       {"execute", "run"},     {"lint", "plan"},
    {"optimise", "optimize"}, {"passlist", "passes"}, {"env", "doctor"},      {"man", "help"},
};

/// Why the first word is no verb, and what was meant: a verb that was misspelt or stands behind, or a file.
Diagnostic unknown_verb(std::string_view name, std::span<const char* const> words, std::span<const Verb* const> verbs) {
  std::vector<std::string_view> names{"help"};
  for (const Verb* verb : verbs) names.push_back(verb->name);
  if (name.starts_with("-"))
    return bad_usage(fmt::format("there is no option '{}' before the verb", name), "options come after the verb");
  std::error_code ignored;
  const std::filesystem::path path(name);
  if (path.has_extension() || std::filesystem::exists(path, ignored)) {
    for (std::size_t i = 1; i < words.size(); ++i) {
      if (find_verb(words[i], verbs))
        return bad_usage(fmt::format("'{}' is a file, and the verb comes first", name),
                         fmt::format("did you mean 'anemone {} {}'?", words[i], name));
    }
    return bad_usage(fmt::format("'{}' is a file, not a verb", name), fmt::format("try 'anemone analyze {}'", name));
  }
  std::string_view near;
  for (const Synonym& synonym : kSynonyms) {
    if (synonym.said == name && std::find(names.begin(), names.end(), synonym.verb) != names.end()) near = synonym.verb;
  }
  if (near.empty()) near = closest(name, names);
  return bad_usage(fmt::format("there is no verb '{}'", name),
                   near.empty() ? "'anemone help' lists the verbs" : fmt::format("did you mean 'anemone {}'?", near));
}

constexpr std::size_t kManualWidth = 100;  ///< of docs/reference/cli.md

// docs/reference/cli.md: every verb's own help.
int print_manual(std::span<const Verb* const> verbs, Terminal& terminal) {
  terminal.out(
      "<!-- Made by `anemone help --markdown`; a test compares. Do not edit. -->\n\n# Command line\n\n```text\n");
  terminal.out(program_help(verbs, kManualWidth));
  terminal.out("```\n");
  for (const Verb* verb : verbs) {
    terminal.out(fmt::format("\n## {}\n\n```text\n", verb->name));
    constexpr const char* kHelp[] = {"--help"};
    Call call(*verb, terminal, kHelp);
    call.set_help_width(kManualWidth);
    verb->run(call);
    terminal.out("```\n");
  }
  return 0;
}

bool is_help(std::string_view word) { return word == "help" || word == "--help" || word == "-h"; }

int dispatch(std::span<const char* const> words, std::span<const Verb* const> verbs, Terminal& terminal) {
  if (words.empty()) {
    terminal.err(program_help(verbs, terminal.width()));
    return exit_code(Blame::usage);
  }
  const std::string_view first = words[0];
  if (first == "--version" || first == "-V") {
    terminal.out("anemone " ANEMONE_VERSION "\n");
    return 0;
  }
  const bool help = first == "help" || first == "--help" || first == "-h";
  if (help && (words.size() == 1 || is_help(words[1]))) {
    terminal.out(program_help(verbs, terminal.width()));
    return 0;
  }
  if (help && words.size() > 2)
    return told(bad_usage(fmt::format("help is about one verb, and '{}' is one word too many", words[2])), words,
                terminal);
  if (help && words[1] == std::string_view("--markdown")) return print_manual(verbs, terminal);
  if (help && words[1] == std::string_view("--man")) {
    terminal.out(manual_page(verbs));
    return 0;
  }
  if (help && words[1] == std::string_view("--json")) {
    terminal.out(verbs_json(verbs));
    return 0;
  }
  const std::string_view name = help ? words[1] : words[0];
  const Verb* verb = find_verb(name, verbs);
  if (verb == nullptr) return told(unknown_verb(name, words, verbs), words, terminal);
  constexpr const char* kHelp[] = {"--help"};
  const toolchain::Stopwatch watch;
  Call call(*verb, terminal, help ? std::span<const char* const>(kHelp) : words.subspan(1));
  const int code = verb->run(call);
  call.detail(fmt::format("{} took {:.2f} s and at most {:.0f} MB of memory", verb->name, watch.seconds(),
                          static_cast<double>(toolchain::peak_rss()) / 1e6));
  return code;
}

int escaped(std::string_view what, std::span<const char* const> words, Terminal& terminal) {
  Diagnostic bug = own_bug(fmt::format("an exception was not handled: {}", what));
  std::string line = "anemone";
  for (const char* word : words) line += fmt::format(" {}", word);
  if (!words.empty()) bug.notes.push_back(fmt::format("the command was: {}", line));
  bug.notes.push_back("the program is anemone " ANEMONE_VERSION);
  return told(bug, words, terminal);
}

}  // namespace

int explain_exception(std::span<const char* const> words, Terminal& terminal) {
  try {
    if (std::current_exception()) throw;
    return escaped("terminate was called", words, terminal);
  } catch (const std::bad_alloc&) {
    const Diagnostic problem =
        bad_environment(ErrorCode::out_of_memory, "there is not enough memory for this", {},
                        "free memory, raise the limit, or use a smaller input or fewer --threads");
    return told(problem, words, terminal);
  } catch (const std::exception& error) {
    return escaped(error.what(), words, terminal);
  } catch (...) {
    return escaped("of unknown type", words, terminal);
  }
}

int run_program(std::span<const char* const> words, std::span<const Verb* const> verbs, Terminal& terminal) {
  int code = 0;
  try {
    code = dispatch(words, verbs, terminal);
  } catch (...) {
    code = explain_exception(words, terminal);
  }
  if (const auto lost = lost_file(); lost && (code == 0 || code == 1)) {
    terminal.diagnose(*lost);  // the answer was made from zeros
    code = exit_code(lost->blame);
  }
  if (const auto problem = terminal.finish()) {
    terminal.diagnose(*problem);
    if (code == 0 || code == 1) code = exit_code(problem->blame);  // the answer never reached its reader
  }
  return code;
}

}  // namespace anemone::cli
