#pragma once
// Finds the faces of an image with RetinaFace.
#include <memory>
#include <optional>
#include <span>
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

  /// Height and width that the network takes alone; nothing where it takes others.
  std::optional<std::pair<int, int>> fixed_size() const;
  /// In pixels of the image, best first. Images whose sides are beyond what the network takes are made smaller first.
  /// E0312: an image has to be resized and the media module is missing; E0712 it is too large for this machine.
  Result<std::vector<Detection>> detect(const PixelView& image);
  /// The faces that were in these boxes a frame ago, one a box, without a search of the whole image: each is looked for
  /// in so large a part of it that the numbers are those of the whole (the network sees 507 pixels at most). Nothing
  /// where one is lost, where two became one, and where the parts are more than half of the image or of what the
  /// network takes: then detect() is no dearer and sees new faces as well.
  Result<std::optional<std::vector<Detection>>> follow(const PixelView& image, std::span<const Box> boxes);

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
