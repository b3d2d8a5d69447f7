#pragma once
// A text file that grows line by line and is complete after each: for results of runs that may be interrupted.
#include <cstdint>
#include <filesystem>
#include <string_view>

#include "anemone/support/result.h"

namespace anemone::toolchain {

/// The folder for outputs, and those around it. E0109.
Result<void> make_folder(const std::filesystem::path& folder);

class LineFile {
 public:
  /// Will keep the first `keep` bytes of a file that is there, and go on behind them. Until start() all of it stays, for
  /// runs that come to nothing.
  static Result<LineFile> open(const std::filesystem::path& path, std::uint64_t keep = 0);
  LineFile(LineFile&& other) noexcept;
  LineFile& operator=(LineFile&&) = delete;
  ~LineFile();
  /// Cuts off what was behind; append() does it by itself.
  Result<void> start();
  /// Whole lines, with their ends. After an error the file ends before them.
  Result<void> append(std::string_view lines);

 private:
  LineFile(int descriptor, std::filesystem::path path, std::uint64_t size)
      : descriptor_(descriptor), path_(std::move(path)), size_(size) {}
  int descriptor_;
  std::filesystem::path path_;
  std::uint64_t size_;
  bool started_ = false;
};

}  // namespace anemone::toolchain
