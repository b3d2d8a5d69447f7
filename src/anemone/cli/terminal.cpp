// Writing to stdout and stderr so that nothing is lost silently and nothing is coloured by accident.
#include "anemone/cli/terminal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "anemone/report/page.h"

namespace anemone::cli {
namespace {

constexpr std::size_t kBufferSize = 1 << 16;
constexpr std::uint64_t kUnknownTotal = 0;
constexpr std::string_view kClearLine = "\r\x1b[K";

/// errno of the failure, or 0.
int write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return errno;
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

bool is_terminal(int descriptor) {
  const char* kind = std::getenv("TERM");
  return ::isatty(descriptor) == 1 && (kind == nullptr || std::string_view(kind) != "dumb");
}

/// https://no-color.org: set and not empty means no colour, whatever its value.
bool color_refused() {
  const char* value = std::getenv("NO_COLOR");
  return value != nullptr && *value != '\0';
}

/// https://bixense.com/clicolors: also where nobody is seen to look.
bool color_forced() {
  const char* value = std::getenv("CLICOLOR_FORCE");
  return value != nullptr && *value != '\0' && std::string_view(value) != "0";
}

}  // namespace

void occupy_standard_descriptors() {
  for (int descriptor = 0; descriptor <= 2; ++descriptor) {
    if (::fcntl(descriptor, F_GETFD) != -1) continue;
    // stdout is opened for reading on purpose: writing results to it then fails and is reported.
    // open() takes the lowest free number, which is this one.
    if (::open("/dev/null", descriptor == 2 ? O_WRONLY : O_RDONLY) != descriptor) return;
  }
}

Terminal::Terminal(int out, int err) : out_(out), err_(err), interactive_(is_terminal(err)) {
  set_color(ColorMode::automatic);
}

Terminal::~Terminal() {
  status({});
  flush();
}

bool Terminal::screen() const { return ::isatty(out_) == 1; }

std::size_t Terminal::width_of(int descriptor) const {
  constexpr std::size_t kUsual = 80, kLeast = 40, kMost = 1000;
  if (const char* said = std::getenv("COLUMNS")) {
    const unsigned long columns = std::strtoul(said, nullptr, 10);
    if (columns > 0) return std::clamp<std::size_t>(columns, kLeast, kMost);
  }
  winsize size{};
  if (::isatty(descriptor) == 1 && ::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    return std::clamp<std::size_t>(size.ws_col, kLeast, kMost);
  return kUsual;
}

void Terminal::set_color(ColorMode mode) {
  const auto wanted = [&](int descriptor) {
    return mode == ColorMode::always ||
           (mode == ColorMode::automatic && !color_refused() && (is_terminal(descriptor) || color_forced()));
  };
  color_out_ = wanted(out_);
  color_err_ = wanted(err_);
}

void Terminal::flush() {
  if (write_error_ == 0) write_error_ = write_all(out_, buffer_);
  buffer_.clear();
}

void Terminal::out(std::string_view text) {
  status({});
  buffer_ += text;
  if (buffer_.size() >= kBufferSize) flush();
}

void Terminal::err(std::string_view text) {
  status({});
  flush();
  (void)write_all(err_, text);  // there is nowhere left to report it
}

void Terminal::say(std::string_view line) {
  err((::isatty(err_) == 1 ? report::folded(line, width_of(err_)) : std::string(line)) + "\n");
}

void Terminal::diagnose(const Diagnostic& diagnostic) {
  std::string rendered = render(diagnostic);
  // For eyes; in a log a message stays one line, as grep wants it.
  if (::isatty(err_) == 1) rendered = report::folded(rendered, width_of(err_));
  err(color_err_ ? paint(rendered) : rendered);
}

void Terminal::status(std::string_view line) {
  if (!status_shown_ && line.empty()) return;
  flush();
  (void)write_all(err_, fmt::format("{}{}", kClearLine, line));
  status_shown_ = !line.empty();
}

std::optional<Diagnostic> Terminal::finish() {
  status({});
  flush();
  if (write_error_ == 0 || write_error_ == EPIPE) return std::nullopt;
  return bad_environment(ErrorCode::cannot_print,
                         fmt::format("cannot write to standard output: {}", std::strerror(write_error_)), {},
                         "the results were not printed completely; run the command again");
}

void Progress::update(std::string_view label, std::uint64_t done, std::uint64_t total) {
  if (!terminal_.interactive()) return;
  if (total != kUnknownTotal && done >= total) return terminal_.status({});
  const auto now = std::chrono::steady_clock::now();
  if (now < next_) return;
  next_ = now + std::chrono::milliseconds(100);
  if (label != label_ || done < done_) {
    label_ = label;
    begun_ = now;
    begun_at_ = done;
  }
  done_ = done;
  const bool known = total != kUnknownTotal;
  std::string line = known ? fmt::format("{} {}/{}", label, done, total) : fmt::format("{} {}", label, done);
  const double spent = std::chrono::duration<double>(now - begun_).count();
  if (done > begun_at_ && spent > 1) {
    const double rate = static_cast<double>(done - begun_at_) / spent;
    line += fmt::format("  {:.1f}/s", rate);
    if (known) line += fmt::format("  {:.0f} s left", static_cast<double>(total - done) / rate);
  }
  terminal_.status(line);
}

std::string paint(std::string_view rendered) {
  constexpr std::string_view kReset = "\x1b[0m", kBold = "\x1b[1m", kRed = "\x1b[1;31m", kMagenta = "\x1b[1;35m",
                             kGreen = "\x1b[32m";
  std::string painted;
  while (!rendered.empty()) {
    const std::size_t end = rendered.find('\n');
    std::string_view line = rendered.substr(0, end);
    const auto starts = [&](std::string_view word) { return line.substr(0, word.size()) == word; };
    const auto head = [&](std::string_view color, std::size_t length) {
      painted += fmt::format("{}{}{}{}", color, line.substr(0, length), kReset, line.substr(length));
    };
    const std::size_t colon = line.find(": ");
    if (colon != std::string_view::npos && (starts("error") || starts("warning") || starts("note"))) {
      const std::string_view color = starts("error") ? kRed : starts("warning") ? kMagenta : kBold;
      painted +=
          fmt::format("{}{}{}{}{}{}", color, line.substr(0, colon + 1), kReset, kBold, line.substr(colon + 1), kReset);
    } else if (starts("  --> ")) {
      head(kBold, 5);
    } else if (starts("   = help:")) {
      head(kGreen, 10);
    } else if (starts("   = note:")) {
      head(kBold, 10);
    } else if (starts("   | ") && line.find_first_not_of(" ^", 4) == std::string_view::npos) {
      head(kRed, line.size());
    } else {
      painted += line;
    }
    if (end == std::string_view::npos) break;
    painted += '\n';
    rendered.remove_prefix(end + 1);
  }
  return painted;
}

}  // namespace anemone::cli
