#pragma once
// Reads what `detect` writes: one JSON object a line and frame.
#include <filesystem>
#include <string>
#include <vector>

#include "anemone/face/landmarks.h"
#include "anemone/support/result.h"

namespace anemone::toolchain {

struct LoggedFrame {
  std::string file;
  std::int64_t index = 0;
  double ms = 0;
  bool is_video = false;
  std::vector<face::Face> faces;
};

struct FaceLog {
  std::vector<LoggedFrame> frames;
  std::uint64_t bytes = 0;  ///< of the lines in `frames`
};
/// A last line without its end was being written when the run was stopped: who goes on behind it wants it left out. In a
/// file that is done it may be whole.
enum class LastLine { only_ended, even_unended };
/// E0832: a line is not such an object.
Result<FaceLog> read_face_log(const std::filesystem::path& path, LastLine last = LastLine::only_ended);

}  // namespace anemone::toolchain
