#pragma once
// What kernel families share.
#include <span>

#include "anemone/ops/eval_util.h"
#include "anemone/runtime/kernel_table.h"

namespace anemone::runtime {

/// Functions of two operands: BinaryParameters.
extern const Kernel kBinaryKernel;
/// Functions of one operand: UnaryParameters.
extern const Kernel kUnaryKernel;
/// Means of windows: PoolParameters.
extern const Kernel kAvgPoolKernel;

/// Elements of a shape that is known to be countable.
inline std::int64_t count_of(std::span<const std::int64_t> dims) { return element_count(dims).value_or(0); }

/// Nearest float: parameters of an op as its kernel takes them.
inline float number(const Node& node, std::string_view param) {
  return static_cast<float>(ConstantView(node).number(param));
}

/// The parameters of a call.
template <class P>
const P& get(const Bound& b) {
  return std::get<P>(b.call.parameters);
}

inline AxisParameters axis_of(const Dims& dims, std::size_t axis) {
  const ops::AxisView view(dims, axis);
  return {.outer = view.outer, .extent = view.extent, .inner = view.inner};
}

}  // namespace anemone::runtime
