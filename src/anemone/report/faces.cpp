// Faces in words and numbers.
#include "anemone/report/faces.h"

#include <fmt/format.h>

#include <cmath>

#include "anemone/report/json_parts.h"
#include "anemone/support/text.h"
#include "anemone/support/utf8.h"

namespace anemone::report {
namespace {

using toolchain::DetectResult;
using toolchain::FaceFrame;

/// Frames a second that the product aims at on two cores, one face.
struct Target {
  const char* level;
  double fps;
};
constexpr Target kTargets[] = {{"must", 4}, {"should", 4.5}, {"stretch", 5}};

/// Seven decimals give a float back; its double would show sixteen.
double short_number(float value) { return std::round(static_cast<double>(value) * 1e7) / 1e7; }

Json point_json(const face::Point& point) { return {short_number(point.x), short_number(point.y)}; }

Json face_json(const face::Face& face) {
  Json points5 = Json::array(), landmarks = Json::array();
  for (const face::Point& point : face.points5) points5.push_back(point_json(point));
  for (const face::Point& point : face.landmarks) landmarks.push_back(point_json(point));
  Json out{
      {"id", face.id},
      {"score", short_number(face.score)},
      {"box",
       {short_number(face.box.x1), short_number(face.box.y1), short_number(face.box.x2), short_number(face.box.y2)}},
      {"tracked", face.tracked},
      {"points5", points5},
      {"landmarks", landmarks}};
  for (const face::Point& speed : face.speeds) out["speeds"].push_back(point_json(speed));
  return out;
}

Json frame_json(const FaceFrame& frame) {
  Json faces = Json::array();
  for (const face::Face& face : frame.faces) faces.push_back(face_json(face));
  return {{"file", frame.source.file},
          {"index", frame.source.index},
          {"ms", thousandths(frame.source.ms)},
          {"video", frame.source.is_video},
          {"width", frame.source.image->width},
          {"height", frame.source.image->height},
          {"faces", faces}};
}

}  // namespace

std::string face_line(const FaceFrame& frame) {
  return escaped_json(frame_json(frame).dump(-1, ' ', false, Json::error_handler_t::replace)) + "\n";
}

std::string face_table_head(std::size_t points) {
  std::string out = "file,frame,face_id,timestamp,confidence,success";
  for (const char axis : {'x', 'y'}) {
    for (std::size_t i = 0; i < points; ++i) out += fmt::format(",{}_{}", axis, i);
  }
  return out + "\n";
}

std::string face_table_rows(const FaceFrame& frame, std::size_t points) {
  std::string out;
  const auto row = [&](int id, float score, const std::vector<face::Point>& landmarks) {
    out += fmt::format("{},{},{},{:.3f},{:.4f},{}", csv_field(frame.source.file), frame.source.index + 1, id,
                       frame.source.ms / 1e3, score, landmarks.size() == points ? 1 : 0);
    for (const bool x : {true, false}) {
      for (std::size_t i = 0; i < points; ++i) {
        const face::Point point = landmarks.size() == points ? landmarks[i] : face::Point();
        out += fmt::format(",{:.3f}", x ? point.x : point.y);
      }
    }
    out += '\n';
  };
  for (const face::Face& face : frame.faces) row(face.id, face.score, face.landmarks);
  if (frame.faces.empty()) row(0, 0, {});
  return out;
}

std::string face_words(const FaceFrame& frame) {
  std::string out = fmt::format("{}: {}\n", escaped(frame.source.file),
                                counted(static_cast<std::int64_t>(frame.faces.size()), "face"));
  for (const face::Face& face : frame.faces) {
    out += fmt::format("  face {}  score {:.4f}  box {:.1f} {:.1f} {:.1f} {:.1f}  {}\n", face.id, face.score,
                       face.box.x1, face.box.y1, face.box.x2, face.box.y2,
                       counted(static_cast<std::int64_t>(face.landmarks.size()), "point"));
  }
  return out;
}

std::string detect_json(const DetectResult& result, const std::vector<std::string>& frames) {
  Json list = Json::array(), stages = Json::object(), failures = Json::array();
  for (const std::string& frame : frames) list.push_back(Json::parse(frame));
  for (const toolchain::StageTime& stage : result.stages) stages[stage.name] = thousandths(stage.ms);
  for (const Diagnostic& problem : result.failures)
    failures.push_back({{"code", std::string(text_of(problem.code))},
                        {"message", problem.message},
                        {"place", problem.place},
                        {"help", problem.help}});
  Json targets = Json::array();
  for (const Target& target : kTargets)
    targets.push_back({{"level", target.level}, {"fps", target.fps}, {"met", result.fps > target.fps}});
  Json out{{"schema", "anemone.detect/1"},
           {"frames", list},
           {"frame_count", result.frames},
           {"face_count", result.faces},
           {"fps", thousandths(result.fps)},
           {"seconds", thousandths(result.seconds)},
           {"stages_ms", stages},
           {"notes", result.notes},
           {"failures", failures},
           {"stopped", result.stopped}};
  if (result.video) out["targets"] = targets;
  return dump(out);
}

std::string detect_text(const DetectResult& result) {
  std::string out = fmt::format("{}, {}", counted(result.frames, "frame"), counted(result.faces, "face"));
  if (result.most_faces > 1) out += fmt::format(" (up to {} in a frame)", result.most_faces);
  out += fmt::format(" in {:.2f} s: {:.2f} frames a second\n", result.seconds, result.fps);
  out += "stages, ms a frame (they overlap):";
  for (const toolchain::StageTime& stage : result.stages) out += fmt::format("  {} {:.1f}", stage.name, stage.ms);
  out += '\n';
  if (result.video) {
    out += "targets:";
    for (const Target& target : kTargets)
      out += fmt::format("  {} > {} {}", target.level, target.fps, result.fps > target.fps ? "met" : "MISSED");
    out += '\n';
  }
  for (const std::string& note : result.notes) out += fmt::format("note: {}\n", note);
  return out;
}

}  // namespace anemone::report
