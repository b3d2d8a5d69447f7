#pragma once
// Where tests write.
#include <unistd.h>

#include <filesystem>
#include <string>

namespace anemone::test {

/// A folder of this process, gone with it; in memory where there is such a place, because outputs are flushed to disk.
struct Scratch {
  std::filesystem::path path;
  Scratch() {
    std::error_code none;
    const std::filesystem::path memory = "/dev/shm";
    path = (std::filesystem::is_directory(memory, none) ? memory : std::filesystem::temp_directory_path()) /
           ("anemone-" + std::to_string(::getpid()));
    std::filesystem::create_directories(path);
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
};

}  // namespace anemone::test
