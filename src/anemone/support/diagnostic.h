#pragma once
// What went wrong, where, and what to do next. Library code returns these; only cli/ prints them.
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "anemone/support/error_code.h"

namespace anemone {

enum class Severity : std::uint8_t { note, warning, error };

/// Decides the exit code of the program (docs/reference/cli.md): 2 usage, 3 bad input, 4 environment, 70 a bug of ours.
enum class Blame : std::uint8_t { usage, input, environment, bug };
int exit_code(Blame blame);

/// A text that can be quoted in a message. Spans share its ownership: errors outlive the function that read the file.
struct SourceText {
  std::string name;
  std::string text;
};
struct TextSpan {
  std::shared_ptr<const SourceText> source;  // null: nothing to quote
  std::size_t begin = 0, end = 0;
};

struct Diagnostic {
  Severity severity = Severity::error;
  Blame blame = Blame::input;
  ErrorCode code = ErrorCode::none;
  std::string message;  ///< lower case, one sentence, the numbers in it, no full stop
  std::string place;    ///< "star.pkl: byte 1048992 of 'archive/data.pkl'"; empty when `span` says it
  TextSpan span;        ///< for text inputs: rendered as line, column and caret
  std::vector<std::string> notes;
  std::string help;   ///< what the user can do next
  std::string param;  ///< the operand of an operation that is to blame; empty when it is none
};

/// Never empty when it is the error of a Result.
using Diagnostics = std::vector<Diagnostic>;

/// The usual ways to make one.
Diagnostic bad_input(ErrorCode code, std::string message, std::string place = {}, std::string help = {});
Diagnostic bad_usage(std::string message, std::string help = {});
Diagnostic bad_environment(ErrorCode code, std::string message, std::string place = {}, std::string help = {});
Diagnostic own_bug(std::string message, std::string place = {});
/// From errno of a failed system call: "cannot create 'x': No space left on device".
Diagnostic system_error(std::string_view doing, const std::string& path, int error_number);

/// "error[E0510]: message\n  --> place\n   = help: ...\n". No colour: the CLI adds it.
std::string render(const Diagnostic& diagnostic);
std::string render(const Diagnostics& diagnostics);
int exit_code(const Diagnostics& diagnostics);

/// The candidate nearest to `word` by edit distance, or "" when none is near ("did you mean").
std::string_view closest(std::string_view word, std::span<const std::string_view> candidates);
/// A help line: "did you mean 'X'?" where a candidate is near, else `otherwise`.
std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates,
                         std::string_view otherwise = {});

}  // namespace anemone
