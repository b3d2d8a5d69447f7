// Files that grow with the run.
#include "anemone/cli/detect_outputs.h"

#include <algorithm>
#include <sstream>
#include <system_error>
#include <utility>

#include "anemone/report/faces.h"
#include "anemone/support/file.h"
#include "anemone/toolchain/face_log.h"

namespace anemone::cli {

namespace fs = std::filesystem;

namespace {

constexpr const char* kSettings = "detect.options";

/// The first option that the earlier run had otherwise. Runs before this file was written have none.
Result<void> check_settings(const fs::path& path, const std::string& now) {
  std::error_code error;
  if (!fs::exists(path, error)) return {};
  TRY(const Bytes file, map_file(path));
  std::istringstream before(std::string(reinterpret_cast<const char*>(file.data()), file.size())), here(now);
  for (std::string was, is; std::getline(here, is);) {
    if (std::getline(before, was) && was == is) continue;
    return bad_usage("the earlier run had '" + was + "', this one has '" + is + "'",
                     "resume with the same options, or give another folder");
  }
  return {};
}

}  // namespace

Result<void> DetectOutputs::read_done(const fs::path& log) {
  std::error_code error;
  if (!fs::exists(log, error)) return {};
  TRY(toolchain::FaceLog known, toolchain::read_face_log(log));
  log_bytes_ = known.bytes;
  for (toolchain::LoggedFrame& frame : known.frames) {
    toolchain::ResumePoint& point = done_[frame.file];
    if (frame.index != point.frames)
      return bad_input(ErrorCode::cannot_resume,
                       "frame " + std::to_string(point.frames) + " of '" + frame.file + "' is missing", log.string(),
                       "leave --resume out, or give another folder");
    point.frames = frame.index + 1;
    point.ms = frame.ms;
    for (const face::Face& face : frame.faces) {
      point.next_id = std::max(point.next_id, face.id + 1);
      if (face.landmarks.size() != options_.points)
        return bad_input(ErrorCode::cannot_resume,
                         "the earlier run found " + std::to_string(face.landmarks.size()) +
                             " points a face, this one " + std::to_string(options_.points),
                         log.string(), "give the network of the earlier run");
    }
    if (options_.table) {
      toolchain::FaceFrame row{{.file = frame.file, .index = frame.index, .ms = frame.ms}, frame.faces, {}};
      table_rows_ += report::face_table_rows(row, options_.points);
    }
    point.last = std::move(frame.faces);
  }
  return check_settings(options_.folder / kSettings, options_.settings);
}

Result<DetectOutputs> DetectOutputs::open(const DetectOutputOptions& options) {
  DetectOutputs out;
  out.options_ = options;
  TRY_VOID(toolchain::make_folder(options.folder));
  const fs::path log = options.folder / "faces.jsonl";
  if (options.resume) TRY_VOID(out.read_done(log));
  TRY(auto lines, toolchain::LineFile::open(log, out.log_bytes_));
  out.log_.emplace(std::move(lines));
  if (options.table) {
    TRY(auto table, toolchain::LineFile::open(options.folder / "faces.csv"));
    out.table_.emplace(std::move(table));
  }
  if (options.draw) out.drawn_.emplace(options.folder, options.inputs);
  return out;
}

Result<void> DetectOutputs::begin() {
  if (std::exchange(begun_, true)) return {};
  TRY_VOID(write_file(options_.folder / kSettings, options_.settings));
  TRY_VOID(log_->start());
  if (table_) TRY_VOID(table_->append(report::face_table_head(options_.points) + std::exchange(table_rows_, {})));
  return {};
}

Result<void> DetectOutputs::take(const toolchain::FaceFrame& frame, const std::string& line) {
  TRY_VOID(begin());
  if (drawn_) TRY_VOID(drawn_->take(frame));
  if (table_) TRY_VOID(table_->append(report::face_table_rows(frame, options_.points)));
  return log_->append(line);
}

Result<void> DetectOutputs::close(bool complete) {
  if (complete) TRY_VOID(begin());
  if (drawn_) TRY_VOID(drawn_->close());
  return {};
}

}  // namespace anemone::cli
