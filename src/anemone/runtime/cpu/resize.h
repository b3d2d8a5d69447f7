#pragma once
// Nearest and bilinear resampling of planes [planes, height, width].
#include <cstdint>

#include "anemone/runtime/base/thread_pool.h"

namespace anemone::cpu {

struct ResizeShape {
  std::int64_t planes = 1, in_height = 1, in_width = 1, out_height = 1, out_width = 1;
};

/// Output i takes input floor(i * in / out), in whole numbers.
void resize_nearest(const ResizeShape& shape, const float* in, float* out, runtime::ThreadPool& pool);

/// MIL's sampling modes: where output i lies in the input.
enum class Sampling : std::uint8_t {
  strict_align_corners,  ///< i * (in - 1) / (out - 1); 0 when out = 1
  align_corners,         ///< the same; (in - 1) / 2 when out = 1
  default_mode,          ///< i * in / out
  unalign_corners,       ///< (i + 0.5) * in / out - 0.5
  offset_corners,        ///< (i + 0.5) * max(1, in - 1) / out
};

/// The position of output i, clamped to [0, in - 1]. Computed in double.
double sample_position(Sampling mode, std::int64_t i, std::int64_t in, std::int64_t out);

/// Linear between the two nearest rows and columns, no antialiasing.
void resize_bilinear(const ResizeShape& shape, Sampling mode, const float* in, float* out, runtime::ThreadPool& pool);

}  // namespace anemone::cpu
