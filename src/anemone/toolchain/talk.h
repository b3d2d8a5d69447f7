#pragma once
// What a verb tells while it works. The library only says; whether anybody listens is the caller's choice.
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace anemone::toolchain {

/// Both may be empty. No result depends on them.
struct Talk {
  /// One line for people: level 1 (-v) is what was read, recognised, chosen and timed, level 2 (-vv) each part of it.
  std::function<void(int level, const std::string& line)> line;
  /// How far the work called `what` is.
  std::function<void(std::string_view what, std::uint64_t done, std::uint64_t total)> progress;

  void detail(const std::string& text) const {
    if (line) line(1, text);
  }
  void more(const std::string& text) const {
    if (line) line(2, text);
  }
  void at(std::string_view what, std::uint64_t done, std::uint64_t total) const {
    if (progress) progress(what, done, total);
  }
};

class Stopwatch {
 public:
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun_).count(); }
  double ms() const { return 1e3 * seconds(); }

 private:
  std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
};

}  // namespace anemone::toolchain
