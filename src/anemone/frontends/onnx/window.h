#pragma once
// Strides, dilations and pads of convolutions and pools, as ONNX says them, made explicit.
#include "anemone/frontends/onnx/lowering.h"

namespace anemone::onnx {

/// One number a spatial dimension.
struct Window {
  Dims kernel, strides, dilations, before, after;
  std::size_t rank() const { return kernel.size(); }
  std::int64_t reach(std::size_t d) const { return (kernel[d] - 1) * dilations[d] + 1; }
  bool is_dilated() const;
  bool has_pads() const;
  Dims pads() const;  ///< as MIL says them: before and after, dimension by dimension
};

/// From the attributes; `extents` are those of the input, for auto_pad.
Window read_window(const Call& c, const Dims& kernel, const Dims& extents);
Dims spatial(const Dims& dims);  ///< without samples and channels

}  // namespace anemone::onnx
