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
  std::uint64_t bytes = 0;  ///< of the complete lines; a last line without its end is left out
};
/// E0832: a line is not such an object.
Result<FaceLog> read_face_log(const std::filesystem::path& path);

}  // namespace anemone::toolchain
