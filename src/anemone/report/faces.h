#pragma once
// Faces as JSON lines, as a table in the columns of OpenFace, as one JSON document, and as a few words.
#include <string>

#include "anemone/toolchain/detect.h"

namespace anemone::report {

/// One object and a line feed.
std::string face_line(const toolchain::FaceFrame& frame);

/// OpenFace's columns, with the input's name before them: frames count from 1, a frame without a face has one row with
/// success 0.
std::string face_table_head(std::size_t points);
std::string face_table_rows(const toolchain::FaceFrame& frame, std::size_t points);

/// `frames`: the objects of face_line, in order.
std::string detect_json(const toolchain::DetectResult& result, const std::vector<std::string>& frames);
/// A line for a picture's faces.
std::string face_words(const toolchain::FaceFrame& frame);
std::string detect_text(const toolchain::DetectResult& result);

}  // namespace anemone::report
