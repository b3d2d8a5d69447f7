#pragma once
// Landmarks from the files in which data sets and tools keep them.
#include <filesystem>
#include <string>
#include <vector>

#include "anemone/face/pixels.h"
#include "anemone/support/result.h"

namespace anemone::toolchain {

struct LabelledFace {
  std::string image;  ///< its file's name without folders, or that of its .pts; empty: not known, the order counts
  std::vector<face::Point> points;
};

/// Recognised by content:
/// - .npy [N,P,2];
/// - WFLW's lists: 196 coordinates, 4 numbers of a box, 6 attributes, the picture's name, a face a line;
/// - 300W's .pts files, one or a folder of them ("n_points: 68 { x y … }", counted from 1 as they are);
/// - STAR's tables for WFLW, 300W and COFW (.tsv): picture, 5 points, P points, scale, centre;
/// - faces.jsonl of `detect`.
/// A byte order mark of UTF-8 is skipped. E0832: the line that is not so formed, the point that is not finite.
Result<std::vector<LabelledFace>> read_landmarks(const std::filesystem::path& path);

}  // namespace anemone::toolchain
