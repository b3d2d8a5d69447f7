#pragma once
// Data movement: transpose, slice, concat, pad, tile. T is float, std::int32_t, std::uint16_t or std::uint8_t.
#include <cstdint>
#include <span>

#include "anemone/runtime/cpu/elementwise.h"

namespace anemone::cpu {

/// Copies in[sum i_k * in_strides[k]] to out[sum i_k * out_strides[k]] for all indices below `shape`. Strides are in
/// elements; those of `in` may be 0 or negative. Ranks up to any; loops are merged and reordered for speed.
template <class T>
void strided_copy(const T* in, std::span<const std::int64_t> in_strides, T* out,
                  std::span<const std::int64_t> out_strides, ShapeView shape, runtime::ThreadPool& pool);

/// out's extent k is in's extent perm[k].
template <class T>
void transpose(const T* in, ShapeView in_shape, std::span<const std::int64_t> perm, T* out, runtime::ThreadPool& pool);

/// out[i] = in[begin + i * stride] per axis; stride may be negative. `out_shape` is given by the caller.
template <class T>
void slice(const T* in, ShapeView in_shape, std::span<const std::int64_t> begin, std::span<const std::int64_t> stride,
           T* out, ShapeView out_shape, runtime::ThreadPool& pool);

/// Writes one input of a concatenation: all of `in` to out[..., offset : offset + extent, ...] along `axis`.
template <class T>
void concat_part(const T* in, ShapeView in_shape, std::int64_t axis, std::int64_t offset, T* out, ShapeView out_shape,
                 runtime::ThreadPool& pool);

/// Repeats `in` (rank as out): out extent = in extent * whole number per axis.
template <class T>
void tile(const T* in, ShapeView in_shape, T* out, ShapeView out_shape, runtime::ThreadPool& pool);

enum class PadMode : std::uint8_t {
  constant,
  reflect,  ///< without repeating the border: pads < extent
  replicate,
};
/// out extent = before + in extent + after; `before` per axis, not negative.
template <class T>
void pad(const T* in, ShapeView in_shape, std::span<const std::int64_t> before, PadMode mode, T value, T* out,
         ShapeView out_shape, runtime::ThreadPool& pool);

}  // namespace anemone::cpu
