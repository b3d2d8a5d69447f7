// Identities by overlap; between detections, a look around each face.
#include "anemone/face/tracker.h"

#include <algorithm>

namespace anemone::face {
namespace {

constexpr float kSameFace = 0.3f;  // overlap of a face's boxes in two frames

}  // namespace

Box expected_box(const Face& face) {
  if (face.landmarks.empty()) return face.box;
  float x = 0, y = 0;
  for (const Point& point : face.landmarks) {
    x += point.x / static_cast<float>(face.landmarks.size());
    y += point.y / static_cast<float>(face.landmarks.size());
  }
  const Box& box = face.box;
  if (x >= box.x1 && x <= box.x2 && y >= box.y1 && y <= box.y2) return box;
  const float dx = x - (box.x1 + box.x2) / 2, dy = y - (box.y1 + box.y2) / 2;
  return {box.x1 + dx, box.y1 + dy, box.x2 + dx, box.y2 + dy};
}

Tracker::Tracker(Landmarker& landmarker, Detector& detector, TrackerOptions options)
    : landmarker_(landmarker),
      detector_(detector),
      options_(options),
      smoother_(options.smooth.value_or(OneEuroOptions())) {}

void Tracker::resume(std::vector<Face> last, int next_id, double seconds) {
  faces_ = std::move(last);
  for (const Face& face : faces_) smoother_.restore(face.id, seconds, face.landmarks, face.speeds);
  next_id_ = next_id;
}

// Every face to where it is now; false when the whole frame is to be searched.
Result<bool> Tracker::follow(const PixelView& frame) {
  if (faces_.empty()) return false;
  std::vector<Box> boxes;
  for (const Face& face : faces_) boxes.push_back(expected_box(face));
  TRY(const auto found, detector_.follow(frame, boxes));
  if (!found) return false;
  for (std::size_t i = 0; i < faces_.size(); ++i) {
    const Detection& now = (*found)[i];
    faces_[i] = {faces_[i].id, now.box, now.score, now.points, {}, true, {}};
  }
  return true;
}

// The detector's faces with the names of those that they overlap most; the rest are new.
void Tracker::identify(const std::vector<Detection>& found) {
  struct Pair {
    float overlap;
    std::size_t track, detection;
  };
  std::vector<Pair> pairs;
  for (std::size_t t = 0; t < faces_.size(); ++t) {
    for (std::size_t d = 0; d < found.size(); ++d) {
      const float common = overlap(faces_[t].box, found[d].box);
      if (common >= kSameFace) pairs.push_back({common, t, d});
    }
  }
  std::stable_sort(pairs.begin(), pairs.end(), [](const Pair& a, const Pair& b) { return a.overlap > b.overlap; });
  std::vector<int> ids(found.size(), -1);
  std::vector<bool> taken(faces_.size());
  for (const Pair& pair : pairs) {
    if (taken[pair.track] || ids[pair.detection] >= 0) continue;
    taken[pair.track] = true;
    ids[pair.detection] = faces_[pair.track].id;
  }
  for (std::size_t t = 0; t < faces_.size(); ++t) {
    if (!taken[t]) smoother_.forget(faces_[t].id);
  }
  std::vector<Face> now;
  for (std::size_t d = 0; d < found.size(); ++d)
    now.push_back({ids[d] >= 0 ? ids[d] : next_id_++, found[d].box, found[d].score, found[d].points, {}, false, {}});
  faces_ = std::move(now);
}

Result<std::vector<Face>> Tracker::next(const PixelView& frame, std::optional<std::vector<Detection>> found,
                                        double seconds, std::vector<Heatmaps>* heatmaps) {
  if (!found) {
    TRY(const bool all_there, follow(frame));
    if (!all_there) {
      TRY(found, detector_.detect(frame));
    }
  }
  if (found) {
    if (options_.max_faces != 0 && found->size() > options_.max_faces) found->resize(options_.max_faces);
    identify(*found);
  }
  TRY_VOID(landmarker_.find(frame, faces_, heatmaps));
  std::vector<Face> faces = faces_;
  if (options_.smooth) {
    for (Face& face : faces) face.speeds = smoother_.smooth(face.id, seconds, face.landmarks);
  }
  return faces;
}

}  // namespace anemone::face
