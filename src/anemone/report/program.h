#pragma once
// A program as MIL text, wrapped for machines.
#include <functional>
#include <string>
#include <string_view>

namespace anemone::report {

/// The document in pieces, because a program's text may be many times its size: text() as often as there is some, then
/// finish().
class ProgramJson {
 public:
  explicit ProgramJson(std::function<void(std::string_view)> write);
  void text(std::string_view piece);  ///< may end within a character
  void finish();

 private:
  void write_text(std::string_view whole);
  std::function<void(std::string_view)> write_;
  std::string cut_;  ///< the beginning of a character whose end comes with the next piece
};

}  // namespace anemone::report
