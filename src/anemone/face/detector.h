#pragma once
// Finds the faces of an image with RetinaFace.
#include <memory>
#include <optional>
#include <vector>

#include "anemone/face/detections.h"
#include "anemone/face/network.h"

namespace anemone::face {

struct DetectorOptions {
  DetectionLimits limits;
  /// The image is fitted into this size, kept in proportion; else it is taken as it is.
  std::optional<std::pair<int, int>> size;  ///< height, width
};

class Detector {
 public:
  Detector(std::unique_ptr<DetectorNetwork> network, DetectorOptions options);
  Detector(Detector&&) noexcept;
  ~Detector();

  /// In pixels of the image, best first. Images whose sides are beyond what the network takes are made smaller first.
  /// E0312: an image has to be resized and the media module is missing; E0712 it is too large for this machine.
  Result<std::vector<Detection>> detect(const PixelView& image);
  /// The face that overlaps the box most, or nothing: looks at the box's surroundings alone, at their own size on the grid
  /// of the network's coarsest map, where they look as they do in the whole image.
  Result<std::optional<Detection>> near(const PixelView& image, const Box& box);

 private:
  Result<std::vector<Detection>> detect_whole(const PixelView& image, const DetectionLimits& limits);
  /// `fitted`: the image is resized to fill the size as far as its proportions let it; else it lies at the top left.
  Result<std::vector<Detection>> detect_at(const PixelView& image, std::pair<int, int> size, bool fitted,
                                           const DetectionLimits& limits);
  std::unique_ptr<DetectorNetwork> network_;
  DetectorOptions options_;
  std::vector<float> planes_, priors_;
  std::pair<int, int> priors_of_{0, 0};
};

}  // namespace anemone::face
