#pragma once
// Faces and their landmarks in pictures and videos: stages that run at the same time, frames in their order.
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "anemone/face/tracker.h"
#include "anemone/toolchain/face_networks.h"
#include "anemone/toolchain/frame_source.h"

namespace anemone::toolchain {

/// Where an earlier run stopped in one input.
struct ResumePoint {
  std::int64_t frames = 0;       ///< that are done
  std::vector<face::Face> last;  ///< of the last one of them
  int next_id = 0;
  double ms = 0;  ///< when that one was taken
};

struct DetectRequest {
  int every = 1;  ///< of a video: the detector looks at each so-manyth frame, faces are followed between
  float min_score = 0.5f;
  std::size_t max_faces = 0;                         ///< the best so many; 0: all
  std::optional<std::pair<int, int>> detector_size;  ///< height, width; else frames as they are
  face::PointConvention convention = face::PointConvention::star;
  std::optional<face::OneEuroOptions> smooth;
  bool heatmaps = false;
  int threads = 0;
  std::map<std::string, ResumePoint> resume;  ///< by input
  std::function<bool()> stop;                 ///< asked before each frame; true: finish what is under way
};

/// What was found in a frame.
struct FaceFrame {
  SourceFrame source;
  std::vector<face::Face> faces;
  std::vector<face::Heatmaps> heatmaps;  ///< one a face, where asked for
};

/// Of a stage: milliseconds a frame that it was busy.
struct StageTime {
  std::string name;
  double ms = 0;
};

struct DetectResult {
  std::int64_t frames = 0, faces = 0;
  std::size_t most_faces = 0;  ///< in one frame
  bool video = false;
  double seconds = 0, fps = 0;
  std::vector<StageTime> stages;
  std::vector<std::string> notes;
  Diagnostics failures;  ///< inputs that could not be read, or not to their end
  bool stopped = false;
};

/// `take` gets every frame, on the caller's thread. Its error ends the run, as does one of a network; an input's problem
/// is remembered and the next input goes on. At most ten frames are in memory.
Result<DetectResult> detect_faces(const FaceNetworks& networks, FrameSource& source, const DetectRequest& request,
                                  const std::function<Result<void>(const FaceFrame&)>& take);

}  // namespace anemone::toolchain
