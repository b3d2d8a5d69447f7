// The parts of face/ put together for one caller.
#include "anemone/toolchain/face_pipeline.h"

#include <algorithm>
#include <cmath>

#include "anemone/face/overlay.h"
#include "anemone/face/tracker.h"
#include "anemone/toolchain/face_networks.h"

namespace anemone::toolchain {

struct FacePipeline::State {
  State(face::Detector found, face::Landmarker points, const FaceOptions& chosen)
      : detector(std::move(found)), landmarker(std::move(points)), options(chosen) {
    restart();
  }
  void restart() {
    tracker.emplace(landmarker, detector, face::TrackerOptions{.max_faces = options.max_faces});
    frames = 0;
  }
  face::Detector detector;
  face::Landmarker landmarker;
  FaceOptions options;
  std::optional<face::Tracker> tracker;
  std::int64_t frames = 0;
};

FacePipeline::FacePipeline(std::unique_ptr<State> state) : state_(std::move(state)) {}
FacePipeline::FacePipeline(FacePipeline&&) noexcept = default;
FacePipeline& FacePipeline::operator=(FacePipeline&&) noexcept = default;
FacePipeline::~FacePipeline() = default;

Result<FacePipeline> FacePipeline::open(const FaceOptions& options) {
  TRY(const Model faces, load_face_network(options.faces, kDetectorSide));
  TRY(const Model landmarks, load_face_network(options.landmarks, kCropSide));
  TRY(const FaceNetworks networks, FaceNetworks::open(faces, landmarks));
  TRY(auto network, networks.detector(options.threads));
  TRY(face::Landmarker landmarker, networks.landmarker(options.threads, options.convention, false));
  face::DetectorOptions limits;
  limits.limits.min_score = std::nextafter(options.min_score, 0.0f);  // at least, not more than
  limits.limits.most = options.max_faces;
  return FacePipeline(
      std::make_unique<State>(face::Detector(std::move(network), limits), std::move(landmarker), options));
}

Result<std::vector<face::Face>> FacePipeline::find(const face::PixelView& image) {
  TRY(auto found, state_->detector.detect(image));
  face::Tracker once(state_->landmarker, state_->detector, {.max_faces = state_->options.max_faces});
  return once.next(image, std::move(found), 0);
}

Result<std::vector<face::Face>> FacePipeline::follow(const face::PixelView& frame, double seconds) {
  std::optional<std::vector<face::Detection>> found;
  if (state_->frames++ % std::max(state_->options.every, 1) == 0) {
    TRY(found, state_->detector.detect(frame));
  }
  return state_->tracker->next(frame, std::move(found), seconds);
}

void FacePipeline::restart() { state_->restart(); }
int FacePipeline::points() const { return state_->landmarker.points(); }

Result<void> FacePipeline::draw(const std::vector<face::Face>& faces, std::uint8_t* bgr, int width, int height,
                                std::ptrdiff_t stride) {
  const std::ptrdiff_t row = 3 * std::ptrdiff_t{width};
  formats::Image image{width, height, 3, std::vector<std::uint8_t>(static_cast<std::size_t>(row * height))};
  for (int y = 0; y < height; ++y) std::copy_n(bgr + y * stride, row, image.bgr.data() + y * row);
  TRY_VOID(formats::draw(image, face::overlay(faces)));
  for (int y = 0; y < height; ++y) std::copy_n(image.bgr.data() + y * row, row, bgr + y * stride);
  return {};
}

}  // namespace anemone::toolchain
