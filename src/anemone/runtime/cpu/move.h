#pragma once
// Data movement: strided copies (transpositions, slices and joins are some), repetitions, padding.
#include <cstdint>
#include <span>

#include "anemone/runtime/cpu/elementwise.h"

namespace anemone::cpu {

/// Copies in[sum i_k * in_strides[k]] to out[sum i_k * out_strides[k]] for all indices below `shape`. Strides are in
/// elements; those of `in` may be 0 or negative. Ranks up to any; loops are merged and reordered for speed.
void strided_copy(const float* in, std::span<const std::int64_t> in_strides, float* out,
                  std::span<const std::int64_t> out_strides, ShapeView shape, runtime::ThreadPool& pool);

/// Repeats `in` (rank as out): out extent = in extent * whole number per axis.
void tile(const float* in, ShapeView in_shape, float* out, ShapeView out_shape, runtime::ThreadPool& pool);

enum class PadMode : std::uint8_t {
  constant,
  reflect,  ///< without repeating the border: pads < extent
  replicate,
};
/// out extent = before + in extent + after; `before` per axis, not negative.
void pad(const float* in, ShapeView in_shape, std::span<const std::int64_t> before, PadMode mode, float value,
         float* out, ShapeView out_shape, runtime::ThreadPool& pool);

}  // namespace anemone::cpu
