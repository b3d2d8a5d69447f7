#pragma once
// Annotated copies of pictures and videos.
#include <filesystem>
#include <optional>
#include <set>
#include <string>

#include "anemone/formats/image/video.h"
#include "anemone/toolchain/detect.h"

namespace anemone::toolchain {

/// Boxes, names, contour lines and points, and with heatmaps what lit up, drawn into a copy.
Result<formats::Image> drawn(const FaceFrame& frame);

/// Writes NAME-faces.png for a picture and NAME-faces.avi (Motion JPEG) for a video into a folder; a second input of the
/// same name becomes NAME-faces-1. Inputs are never in the way.
class DrawnFiles {
 public:
  /// `inputs` are files that no copy may replace, wherever they lie.
  explicit DrawnFiles(std::filesystem::path folder, std::set<std::string> inputs = {})
      : folder_(std::move(folder)), inputs_(std::move(inputs)) {}
  Result<void> take(const FaceFrame& frame);
  Result<void> close();  ///< finishes the video that is open

 private:
  bool is_input(const std::filesystem::path& path) const;
  std::filesystem::path folder_;
  std::set<std::string> inputs_;
  std::set<std::string> taken_;
  std::string file_;
  std::optional<formats::VideoWriter> video_;
  int times_ = 1;  ///< that each frame is written
};

}  // namespace anemone::toolchain
