#pragma once
// Where sliding windows lie: the geometry that convolutions and pools share. Their fast kernels use it too.
#include <string>

#include "anemone/ir/op_def.h"

namespace anemone::ops {

/// One entry a spatial dimension; extents that are not known make `out` (and "same" padding) kUnknown.
struct Window {
  Dims in, kernel, strides, dilations, before, after, out;
  /// Extent that a dilated kernel spans along dimension d.
  std::int64_t span(std::size_t d) const {
    return kernel[d] == kUnknown ? kUnknown : (kernel[d] - 1) * dilations[d] + 1;
  }
};

/// Window of conv (parameters strides, pad_type, pad, dilations) for a kernel over these spatial extents.
Window conv_window(const ConstantView& v, Dims spatial, Dims kernel);
/// Window of conv_transpose: `in` are the extents of x, before/after are cut off the full result.
Window conv_transpose_window(const ConstantView& v, Dims spatial, Dims kernel);
/// Window of a pool (kernel_sizes, strides, pad_type, pad, ceil_mode).
Window pool_window(const ConstantView& v, Dims spatial);

/// The same window with exactly three spatial dimensions, extents of 1 in front.
Window with_three_dimensions(Window window);

}  // namespace anemone::ops
