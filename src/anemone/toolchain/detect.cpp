// Four stages: read, find faces, find landmarks, hand on.
#include "anemone/toolchain/detect.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>

#include "anemone/runtime/background.h"

namespace anemone::toolchain {
namespace {

using Detections = std::optional<std::vector<face::Detection>>;

/// A frame on its way.
struct Item {
  FaceFrame frame;
  Detections found;
};
using Queue = runtime::BoundedQueue<Item>;
constexpr std::size_t kWaiting = 2;  // frames before a stage

face::PixelView view_of(const formats::Image& image) {
  return {image.bgr.data(), image.width, image.height, 3 * std::ptrdiff_t{image.width}, face::PixelFormat::bgr};
}

/// What stages share: where they add up their time, and the error that ends them all.
struct Course {
  explicit Course(const DetectRequest& r) : request(r) {}
  const DetectRequest& request;
  std::atomic<bool> stopped{false};
  double read_ms = 0, detect_ms = 0, landmarks_ms = 0;  // each written by one stage, read when that is over
  Diagnostics detect_error, landmarks_error;
};

void read_frames(FrameSource& source, Course& course, Queue& out) {
  for (;;) {
    if (course.request.stop && course.request.stop()) {
      course.stopped = true;
      break;
    }
    const Stopwatch watch;
    auto frame = source.next();
    course.read_ms += watch.ms();
    if (!frame || !out.push({{*std::move(frame), {}, {}}, {}})) break;
  }
  out.close();
}

bool is_for_detector(const SourceFrame& frame, int every) { return !frame.is_video || frame.index % every == 0; }

void find_faces(face::Detector& detector, Course& course, Queue& in, Queue& out) {
  while (auto item = in.pop()) {
    const SourceFrame& frame = item->frame.source;
    if (frame.image && is_for_detector(frame, course.request.every)) {
      const Stopwatch watch;
      auto found = detector.detect(view_of(*frame.image));
      course.detect_ms += watch.ms();
      if (!found) {
        course.detect_error = std::move(found).error();
        break;
      }
      item->found = *std::move(found);
    }
    if (!out.push(*std::move(item))) break;
  }
  in.close();
  out.close();
}

/// Each input has a tracker of its own.
class LandmarkStage {
 public:
  LandmarkStage(face::Landmarker& landmarker, face::Detector& detector, Course& course)
      : landmarker_(landmarker), detector_(detector), course_(course) {}

  void run(Queue& in, Queue& out) {
    while (auto item = in.pop()) {
      if (item->frame.source.image) {
        const Stopwatch watch;
        auto faces = tracker_of(item->frame.source)
                         .next(view_of(*item->frame.source.image), std::move(item->found), item->frame.source.ms / 1e3,
                               course_.request.heatmaps ? &item->frame.heatmaps : nullptr);
        course_.landmarks_ms += watch.ms();
        if (!faces) {
          course_.landmarks_error = std::move(faces).error();
          break;
        }
        item->frame.faces = *std::move(faces);
      }
      if (!out.push(*std::move(item))) break;
    }
    in.close();
    out.close();
  }

 private:
  face::Tracker& tracker_of(const SourceFrame& frame) {
    if (tracker_ && file_ == frame.file) return *tracker_;
    file_ = frame.file;
    tracker_.emplace(landmarker_, detector_, face::TrackerOptions{course_.request.max_faces, course_.request.smooth});
    const auto known = course_.request.resume.find(file_);
    if (known != course_.request.resume.end())
      tracker_->resume(known->second.last, known->second.next_id, known->second.ms / 1e3);
    return *tracker_;
  }

  face::Landmarker& landmarker_;
  face::Detector& detector_;
  Course& course_;
  std::optional<face::Tracker> tracker_;
  std::string file_;
};

void count(const FaceFrame& frame, DetectResult& result) {
  ++result.frames;
  result.faces += static_cast<std::int64_t>(frame.faces.size());
  result.most_faces = std::max(result.most_faces, frame.faces.size());
  result.video = result.video || frame.source.is_video;
}

}  // namespace

Result<DetectResult> detect_faces(const FaceNetworks& networks, FrameSource& source, const DetectRequest& request,
                                  const std::function<Result<void>(const FaceFrame&)>& take) {
  face::DetectorOptions options{.limits = {.min_score = std::nextafter(request.min_score, 0.0f)},  // at least that
                                .size = request.detector_size};
  options.limits.most = request.max_faces;
  // The landmarks are nearly all of the work and get all cores; the detector is done with one beside them.
  TRY(auto network, networks.detector(1));
  face::Detector detector(std::move(network), options);
  TRY(auto second, networks.detector(request.threads));  // of the landmark stage, where a face is lost
  face::Detector confirming(std::move(second), options);
  TRY(face::Landmarker landmarker, networks.landmarker(request.threads, request.convention, request.heatmaps));

  DetectResult result;
  result.notes = networks.notes();
  for (const auto& [file, point] : request.resume) source.skip(file, point.frames);
  source.stop_when(request.stop);
  if (const auto only = detector.fixed_size(); only && request.detector_size && only != request.detector_size)
    return bad_usage(fmt::format("the face detector takes {}x{} (height x width) alone", only->first, only->second),
                     "leave --detector-size out, or give a network that takes others");
  Course course(request);
  Queue read(kWaiting), detected(kWaiting), found(kWaiting);
  Diagnostics error;
  double write_ms = 0;
  const Stopwatch watch;
  {
    LandmarkStage landmarks(landmarker, confirming, course);
    const runtime::Background reader([&] { read_frames(source, course, read); });
    const runtime::Background first([&] { find_faces(detector, course, read, detected); });
    const runtime::Background middle([&] { landmarks.run(detected, found); });
    while (auto item = found.pop()) {
      const SourceFrame& frame = item->frame.source;
      if (!frame.image) {
        result.failures.insert(result.failures.end(), frame.problem.begin(), frame.problem.end());
        continue;
      }
      count(item->frame, result);
      const Stopwatch writing;
      if (auto taken = take(item->frame); !taken) {
        error = std::move(taken).error();
        break;
      }
      write_ms += writing.ms();
    }
    found.close();
    detected.close();
    read.close();
  }
  for (Diagnostics* problem : {&error, &course.detect_error, &course.landmarks_error}) {
    if (!problem->empty()) return std::move(*problem);
  }
  result.seconds = watch.seconds();
  result.stopped = course.stopped;
  const auto frames = static_cast<double>(std::max<std::int64_t>(result.frames, 1));
  result.fps = result.seconds > 0 ? static_cast<double>(result.frames) / result.seconds : 0;
  result.stages = {{"read", course.read_ms / frames},
                   {"detect", course.detect_ms / frames},
                   {"landmarks", course.landmarks_ms / frames},
                   {"write", write_ms / frames}};
  return result;
}

}  // namespace anemone::toolchain
