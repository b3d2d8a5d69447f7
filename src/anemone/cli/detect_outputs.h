#pragma once
// What `detect` writes while it runs, frame by frame.
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "anemone/toolchain/face_drawing.h"
#include "anemone/toolchain/line_file.h"

namespace anemone::cli {

struct DetectOutputOptions {
  std::filesystem::path folder;
  std::size_t points = 0;
  bool table = false;            ///< faces.csv as well
  bool draw = false;             ///< annotated copies
  bool resume = false;           ///< go on behind what is in faces.jsonl
  std::string settings;          ///< what decides about the numbers, an option a line: a run is resumed with the same
  std::set<std::string> inputs;  ///< files that no copy may replace
};

/// faces.jsonl, faces.csv and annotated copies in one folder. Each frame is complete when take() returns. What an earlier
/// run left stays until the first one comes.
class DetectOutputs {
 public:
  static Result<DetectOutputs> open(const DetectOutputOptions& options);
  /// What was done before, where `resume` was asked for.
  const std::map<std::string, toolchain::ResumePoint>& done() const { return done_; }
  Result<void> take(const toolchain::FaceFrame& frame, const std::string& line);
  /// `complete`: all inputs were read, so that the files are this run's although there may be no frame in them.
  Result<void> close(bool complete);

 private:
  DetectOutputs() = default;
  Result<void> read_done(const std::filesystem::path& log);
  Result<void> begin();
  DetectOutputOptions options_;
  std::map<std::string, toolchain::ResumePoint> done_;
  std::uint64_t log_bytes_ = 0;
  std::string table_rows_;  ///< of what was done before
  bool begun_ = false;
  std::optional<toolchain::LineFile> log_, table_;
  std::optional<toolchain::DrawnFiles> drawn_;
};

}  // namespace anemone::cli
