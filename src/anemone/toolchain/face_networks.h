#pragma once
// A detector and a landmark network, each a checkpoint, a package or an ONNX file, made ready for face/. Networks that do
// not fit are refused here: what runs is what would be shipped, or an error that says what differs.
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "anemone/face/landmarks.h"
#include "anemone/face/network.h"
#include "anemone/toolchain/model.h"
#include "anemone/toolchain/session.h"

namespace anemone::toolchain {

/// load(), with the usual size for what an ONNX file leaves open.
Result<Model> load_face_network(const std::filesystem::path& path, std::int64_t side, const Talk& talk = {});
inline constexpr std::int64_t kDetectorSide = 640, kCropSide = 256;

class FaceNetworks {
 public:
  /// E0630 the first is no detector, E0631 the second no landmark network, E0632 an image or array input of other
  /// pixels than its kind was trained with.
  static Result<FaceNetworks> open(const Model& faces, const Model& landmarks);

  /// Makers of engines: each has its own, so that stages can run at the same time.
  Result<std::unique_ptr<face::DetectorNetwork>> detector(int threads) const;
  Result<face::Landmarker> landmarker(int threads, face::PointConvention convention, bool heatmaps) const;

  const LandmarkInfo& landmarks() const { return info_; }
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  std::shared_ptr<const Model> faces_, landmarks_;
  LandmarkInfo info_;
  std::vector<std::string> notes_;
};

}  // namespace anemone::toolchain
