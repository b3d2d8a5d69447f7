#pragma once
// Faces with landmarks: crops of all faces of an image through the landmark network, and its numbers as points.
#include <memory>
#include <span>
#include <vector>

#include "anemone/face/crop.h"
#include "anemone/face/detections.h"
#include "anemone/face/network.h"

namespace anemone::face {

struct Face {
  int id = 0;  ///< the same from frame to frame of a video; in a picture its rank
  Box box;
  float score = 0;
  std::array<Point, 5> points5{};
  std::vector<Point> landmarks;
  bool tracked = false;       ///< found around its last place, not in the whole frame
  std::vector<Point> speeds;  ///< of smoothed landmarks, in pixels a second: what the filter goes on with; else none
};

/// What lit up for each point: [points, height, width] over the crop, for showing.
struct Heatmaps {
  Matrix matrix{};  ///< from image to crop
  int crop_size = 0, height = 0, width = 0;
  std::vector<float> strongest;  ///< [height, width]: the maximum over all points, scaled to 0…1
};

class Landmarker {
 public:
  /// `with_heatmaps`: the network's second output is [1,points,h,w].
  Landmarker(std::unique_ptr<Prepared> network, int points, PointConvention convention, bool with_heatmaps);
  Landmarker(Landmarker&&) noexcept;
  ~Landmarker();

  int points() const { return points_; }
  int crop_size() const { return network_->width; }

  /// Fills `landmarks` of the faces from their boxes, one crop after the other: a batch is no faster here
  /// (docs/decisions/0012-faces-one-by-one.md). A face whose box has no extent, or whose numbers are not finite, keeps
  /// none.
  Result<void> find(const PixelView& image, std::span<Face> faces, std::vector<Heatmaps>* heatmaps = nullptr);

 private:
  Heatmaps strongest(const Matrix& matrix) const;
  std::unique_ptr<Prepared> network_;
  int points_;
  PointConvention convention_;
  bool with_heatmaps_;
  std::vector<std::uint8_t> crop_;
  std::vector<float> planes_;
};

}  // namespace anemone::face
