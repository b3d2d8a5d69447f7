#pragma once
// Faces of pictures and frames for an application: open two networks once, then hand in pixels.
#include <filesystem>
#include <memory>
#include <vector>

#include "anemone/face/landmarks.h"
#include "anemone/support/result.h"

namespace anemone::toolchain {

struct FaceOptions {
  std::filesystem::path faces, landmarks;  ///< a checkpoint, package or ONNX file each
  float min_score = 0.5f;
  std::size_t max_faces = 0;  ///< the best so many; 0: all
  int every = 1;              ///< of follow(): the detector sees each so-manyth frame whole
  face::PointConvention convention = face::PointConvention::star;
  int threads = 0;  ///< 0: one a core
};

/// One call at a time; two pipelines may run in two threads.
class FacePipeline {
 public:
  /// What load() and FaceNetworks::open() refuse.
  static Result<FacePipeline> open(const FaceOptions& options);
  FacePipeline(FacePipeline&&) noexcept;
  FacePipeline& operator=(FacePipeline&&) noexcept;
  ~FacePipeline();

  /// Best first; boxes and points in pixels of the image, ids by rank.
  Result<std::vector<face::Face>> find(const face::PixelView& image);
  /// The next frame of one video: ids stay with their faces, see face::Tracker.
  Result<std::vector<face::Face>> follow(const face::PixelView& frame, double seconds);
  /// The next frame is of another video.
  void restart();
  int points() const;  ///< landmarks a face

  /// Boxes, contours and points into BGR pixels. E0312 without the media module.
  static Result<void> draw(const std::vector<face::Face>& faces, std::uint8_t* bgr, int width, int height,
                           std::ptrdiff_t stride);

 private:
  struct State;
  explicit FacePipeline(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace anemone::toolchain
