// What all verbs share: the common options, talk, errors and exit codes.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "anemone/cli/help.h"
#include "anemone/cli/verb.h"
#include "anemone/report/diagnostics.h"
#include "anemone/report/page.h"
#include "anemone/support/utf8.h"

namespace anemone::cli {
namespace {

constexpr Choice<ColorMode> kColorModes[] = {
    {"auto", ColorMode::automatic}, {"always", ColorMode::always}, {"never", ColorMode::never}};

}  // namespace

std::string shell_word(const std::string& word) {
  const bool plain = std::all_of(word.begin(), word.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c >= 0x80 ||
           std::string_view("/._-+=@,:%").find(static_cast<char>(c)) != std::string_view::npos;
  });
  if (plain && !word.empty()) return word;
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

bool asks_for_json(std::span<const char* const> words) {
  const auto options_end = std::find(words.begin(), words.end(), std::string_view("--"));
  return std::find(words.begin(), options_end, std::string_view("--json")) != options_end;
}

Call::Call(const Verb& verb, Terminal& terminal, std::span<const char* const> words)
    : verb_(verb), terminal_(terminal), progress_(terminal), words_(words) {}

std::string Call::command_line() const {
  std::string line = "anemone " + std::string(verb_.name);
  for (const char* word : words_) line += " " + shell_word(word);
  return line;
}

std::optional<int> Call::parse() {
  bool short_help = false, long_help = false;
  options.group(kCommonOptions);
  options.flag("--json", json, "print one JSON object on stdout");
  options.flag("-q,--quiet", quiet, "only results and errors: no talk, no warnings");
  options.flag("-v,--verbose", verbosity, "what is read, recognised, chosen and timed; -vv: each part of it");
  options.value("--threads", "N", threads, "worker threads; 0 is one per core", {.at_least = 0, .at_most = 1024});
  if (!color_words_) options.choice("--color", color_mode_, kColorModes, "colours in the output");
  options.flag("-h", short_help, "this help");
  options.flag("--help", long_help, "this help with examples and exit codes");

  if (listener_) {
    listener_(options);
    return 0;
  }
  // Asking for help must work on an otherwise wrong command line. Words after "--" are not options.
  const auto options_end = std::find(words_.begin(), words_.end(), std::string_view("--"));
  const auto asks_for = [&](std::string_view name) {
    return std::find(words_.begin(), options_end, name) != options_end;
  };
  if (asks_for("--help") || asks_for("-h")) {
    print(verb_help(verb_, options, asks_for("--help"), help_width_.value_or(terminal_.width())));
    return 0;
  }
  if (Result<void> parsed = options.parse(words_); !parsed) {
    Diagnostics problems = std::move(parsed).error();
    return misused(std::move(problems.front()));
  }
  if (color_words_) take_color_modes();
  terminal_.set_color(color_mode_);
  return std::nullopt;
}

void Call::take_color_modes() {
  std::erase_if(*color_words_, [&](const std::string& word) {
    for (const Choice<ColorMode>& choice : kColorModes) {
      if (choice.word == word) {
        color_mode_ = choice.value;
        return true;
      }
    }
    return false;
  });
}

void Call::print(std::string_view text) {
  if (json) return terminal_.out(text);
  terminal_.out(escaped_page(text, terminal_.color_on_out()));
}

bool Call::print_at_once(std::string_view text) {
  print(text);
  terminal_.err({});  // what was printed before goes out first
  return terminal_.is_read();
}

void Call::page(std::string_view text) {
  if (json) return terminal_.out(text);
  const std::string page = report::folded(escaped_page(text, false), terminal_.width());
  terminal_.out(terminal_.color_on_out() ? report::painted(page) : page);
}

Result<void> Call::check_stream(bool text) const {
  if (json) return bad_usage("--json and '-' both write to stdout", "leave one out, or write to a file");
  if (!text && terminal_.screen())
    return bad_usage("stdout is a terminal, and these bytes are no text", "add '> FILE'");
  return {};
}

void Call::say(std::string_view line) {
  if (!quiet && !json) terminal_.say(escaped(line));
}

void Call::detail(std::string_view line, int level) {
  if (verbosity >= level && !quiet) terminal_.err(fmt::format("{}\n", escaped(line)));
}

void Call::warn(const Diagnostic& diagnostic) {
  if (!quiet) terminal_.diagnose(diagnostic);
}

int Call::told(const Diagnostics& diagnostics) {
  for (const Diagnostic& diagnostic : diagnostics) terminal_.diagnose(diagnostic);
  return exit_code(diagnostics);
}

int Call::fail(const Diagnostics& diagnostics) {
  const int code = told(diagnostics);
  if (json) print(report::errors_json(diagnostics, code));
  return code;
}

int Call::misused(Diagnostic diagnostic) {
  diagnostic.blame = Blame::usage;
  const std::string pointer = fmt::format("'anemone {} --help' shows the options and examples", verb_.name);
  if (diagnostic.help.empty()) {
    diagnostic.help = pointer;
  } else {
    diagnostic.notes.push_back(pointer);
  }
  terminal_.diagnose(diagnostic);
  if (json || asks_for_json(words_)) print(report::errors_json({diagnostic}, exit_code(Blame::usage)));
  return exit_code(Blame::usage);
}

toolchain::Talk Call::talk() {
  return {.line = [this](int level, const std::string& text) { detail(text, level); },
          .progress =
              [this](std::string_view what, std::uint64_t done, std::uint64_t total) {
                if (!quiet) progress_.update(what, done, total);
              }};
}

}  // namespace anemone::cli
