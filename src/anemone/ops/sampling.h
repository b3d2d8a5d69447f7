#pragma once
// Where the samples of a resize lie. Shared by the resizing operations and their fast kernels.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string_view>

#include "anemone/ir/op_def.h"

namespace anemone::ops {

/// Position in the input of output sample i of `out`, for an input of `in` samples; not clamped. The modes of Core ML:
/// STRICT_ALIGN_CORNERS, ALIGN_CORNERS, DEFAULT, UNALIGN_CORNERS, OFFSET_CORNERS.
inline double sample_position(std::string_view mode, std::int64_t i, std::int64_t in, std::int64_t out) {
  const auto index = static_cast<double>(i), extent = static_cast<double>(in), count = static_cast<double>(out);
  if (mode == "STRICT_ALIGN_CORNERS" || mode == "ALIGN_CORNERS") {
    if (out == 1) return mode == "ALIGN_CORNERS" ? (extent - 1) / 2 : 0;
    return index * (extent - 1) / (count - 1);
  }
  if (mode == "UNALIGN_CORNERS") return (index + 0.5) * extent / count - 0.5;
  if (mode == "OFFSET_CORNERS") return (index + 0.5) * std::max(1.0, extent - 1) / count;
  return index * extent / count;
}

/// The mode that upsample_bilinear means. half_pixel_centers is the opposite of align_corners where it is not given.
inline std::string_view upsample_mode(const ConstantView& v) {
  if (v.flag("align_corners")) return "STRICT_ALIGN_CORNERS";
  return !v.has("half_pixel_centers") || v.flag("half_pixel_centers") ? "UNALIGN_CORNERS" : "DEFAULT";
}

/// The two neighbours of a position and the weight of the second one.
struct LinearTap {
  std::int64_t low = 0, high = 0;
  double weight = 0;
};
inline LinearTap linear_tap(double position, std::int64_t extent) {
  position = std::clamp(position, 0.0, static_cast<double>(extent - 1));
  const auto low = static_cast<std::int64_t>(std::floor(position));
  return {low, std::min(low + 1, extent - 1), position - static_cast<double>(low)};
}

/// Nearest neighbour without corner alignment: floor(i · in / out), exactly.
inline std::int64_t nearest_index(std::int64_t i, std::int64_t in, std::int64_t out) { return i * in / out; }

}  // namespace anemone::ops
