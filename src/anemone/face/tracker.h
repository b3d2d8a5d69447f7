#pragma once
// Faces from frame to frame: who is who, and where to crop between two detections.
#include <optional>
#include <vector>

#include "anemone/face/detector.h"
#include "anemone/face/landmarks.h"
#include "anemone/face/smoothing.h"

namespace anemone::face {

struct TrackerOptions {
  std::size_t max_faces = 0;             ///< the best so many; 0: all
  std::optional<OneEuroOptions> smooth;  ///< of landmarks; off
};

/// Frames in their order. Between detections only the surroundings of each face are searched, where its last landmarks
/// say that it is (Detector::follow): a face that is not found there is gone in the same frame, and the whole frame is
/// searched at once, as it is where that costs no more.
class Tracker {
 public:
  Tracker(Landmarker& landmarker, Detector& detector, TrackerOptions options);

  /// `found`: what the detector says of the whole frame; empty: follow the last frame's faces, and detect if one of
  /// them is lost or none is there. `seconds`: when the frame was taken.
  Result<std::vector<Face>> next(const PixelView& frame, std::optional<std::vector<Detection>> found, double seconds,
                                 std::vector<Heatmaps>* heatmaps = nullptr);
  /// Goes on after frames whose faces are known from an earlier run; `seconds`: when the last one was taken.
  void resume(std::vector<Face> last, int next_id, double seconds);

 private:
  Result<bool> follow(const PixelView& frame);
  void identify(const std::vector<Detection>& found);

  Landmarker& landmarker_;
  Detector& detector_;
  TrackerOptions options_;
  std::vector<Face> faces_;  ///< of the last frame
  Smoother smoother_;
  int next_id_ = 0;
};

/// Where a face is to be looked for: its box, brought to the centre of its landmarks when these left it.
Box expected_box(const Face& face);

}  // namespace anemone::face
