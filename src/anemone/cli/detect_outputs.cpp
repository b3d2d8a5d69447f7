// Files that grow with the run.
#include "anemone/cli/detect_outputs.h"

#include <algorithm>
#include <system_error>

#include "anemone/report/faces.h"
#include "anemone/toolchain/face_log.h"

namespace anemone::cli {

namespace fs = std::filesystem;

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
  return {};
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
    TRY_VOID(out.table_->append(report::face_table_head(options.points) + out.table_rows_));
    out.table_rows_.clear();
  }
  if (options.draw) out.drawn_.emplace(options.folder);
  return out;
}

Result<void> DetectOutputs::take(const toolchain::FaceFrame& frame, const std::string& line) {
  if (drawn_) TRY_VOID(drawn_->take(frame));
  if (table_) TRY_VOID(table_->append(report::face_table_rows(frame, options_.points)));
  return log_->append(line);
}

Result<void> DetectOutputs::close() {
  if (drawn_) TRY_VOID(drawn_->close());
  return {};
}

}  // namespace anemone::cli
