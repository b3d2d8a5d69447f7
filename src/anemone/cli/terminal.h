#pragma once
// The two streams of the program: results go to stdout, talk and errors to stderr. Nothing else writes to either.
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "anemone/support/diagnostic.h"

namespace anemone::cli {

enum class ColorMode : std::uint8_t { automatic, always, never };

/// Opens /dev/null on standard descriptors that the caller closed. Otherwise the first file that the program writes
/// would get number 1, and printed results would end up inside it.
void occupy_standard_descriptors();

class Terminal {
 public:
  /// The descriptors are parameters so that tests can read what was written.
  explicit Terminal(int out = 1, int err = 2);
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  ~Terminal();

  void set_color(ColorMode mode);
  bool color_on_out() const { return color_out_; }
  bool color_on_err() const { return color_err_; }
  /// Whether stderr is a person's terminal: only there is progress shown.
  bool interactive() const { return interactive_; }
  /// Whether results go to a person's screen.
  bool screen() const;
  /// Columns of a page: $COLUMNS, else the terminal's, else 80. Never below 40.
  std::size_t width() const { return width_of(out_); }

  /// Results. Kept in a buffer; a failed write is remembered for finish().
  void out(std::string_view text);
  /// Talk. What was printed before is flushed first, so that both streams in one file keep their order.
  void err(std::string_view text);
  /// A line of talk, folded on a screen as diagnostics are.
  void say(std::string_view line);
  /// A diagnostic on stderr, coloured where that is wanted.
  void diagnose(const Diagnostic& diagnostic);
  /// Replaces the progress line; empty removes it.
  void status(std::string_view line);

  /// Whether standard output took all that was written so far.
  bool is_read() const { return write_error_ == 0; }
  /// Flushes. A full disk or a closed stdout is an error; a reader that went away (`| head`) is not.
  std::optional<Diagnostic> finish();

 private:
  void flush();
  std::size_t width_of(int descriptor) const;
  int out_, err_;
  bool color_out_ = false, color_err_ = false, interactive_ = false, status_shown_ = false;
  int write_error_ = 0;
  std::string buffer_;
};

/// "label 12/30  4.5/s  4 s left" on the last line of an interactive terminal, at most ten times a second. Does nothing
/// elsewhere. A total of 0 is not known. The line goes away when all is done, and before anything else is written.
class Progress {
 public:
  explicit Progress(Terminal& terminal) : terminal_(terminal) {}
  void update(std::string_view label, std::uint64_t done, std::uint64_t total);

 private:
  Terminal& terminal_;
  std::chrono::steady_clock::time_point next_{}, begun_{};
  std::string label_;
  std::uint64_t done_ = 0, begun_at_ = 0;
};

/// The text of render() with colours: the word and the code, the places, the carets.
std::string paint(std::string_view rendered);

}  // namespace anemone::cli
