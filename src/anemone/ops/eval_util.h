#pragma once
// Words that the meanings of operations are written with: walking over indices, offsets, values that default.
#include <cmath>
#include <span>
#include <vector>

#include "anemone/ir/op_def.h"

namespace anemone::ops {

/// Calls visit(index, flat) for every index into a row-major tensor of these extents, in memory order.
template <class Visit>
void for_each_index(const Dims& dims, Visit&& visit) {
  const std::int64_t count = element_count(dims).value_or(0);
  Dims index(dims.size(), 0);
  for (std::int64_t flat = 0; flat < count; ++flat) {
    visit(std::as_const(index), static_cast<std::size_t>(flat));
    for (std::size_t d = dims.size(); d-- > 0;) {
      if (++index[d] < dims[d]) break;
      index[d] = 0;
    }
  }
}

/// Offset of an index; strides[d] belongs to index[d].
inline std::size_t offset(std::span<const std::int64_t> index, std::span<const std::int64_t> strides) {
  std::int64_t at = 0;
  for (std::size_t d = 0; d < strides.size(); ++d) at += index[d] * strides[d];
  return static_cast<std::size_t>(at);
}

/// Strides with which `dims` is read at the indices of the broader shape `out`: 0 where it is stretched.
inline Dims broadcast_strides(std::span<const std::int64_t> dims, std::span<const std::int64_t> out) {
  const Dims own = row_major_strides(dims);
  Dims strides(out.size(), 0);
  for (std::size_t d = 0; d < dims.size(); ++d) {
    if (dims[d] != 1) strides[out.size() - dims.size() + d] = own[d];
  }
  return strides;
}

/// A scalar operand, constant or computed.
inline double number_of(const EvalView& v, std::string_view param, double fallback) {
  const Array* a = v.maybe(param);
  return a && !a->data.empty() ? a->data[0] : fallback;
}
inline double number_of(const EvalView& v, std::string_view param) {
  return number_of(v, param, v.fallback(param).number);
}

/// A number as the dtype holds it.
inline double rounded(double value, DType dtype) { return scalar(*make_scalar(dtype, value)); }

/// One value a channel, or the row's default for all when the operand is absent.
class ChannelValues {
 public:
  ChannelValues(const EvalView& v, std::string_view param) : array_(v.maybe(param)), all_(v.fallback(param).number) {}
  double operator[](std::size_t channel) const { return array_ ? array_->data[channel] : all_; }

 private:
  const Array* array_;
  double all_;
};

/// A tensor seen as [outer, extent of the axis, inner].
struct AxisView {
  std::int64_t outer = 1, extent = 1, inner = 1;
  AxisView(std::span<const std::int64_t> dims, std::size_t axis) : extent(dims[axis]) {
    for (std::size_t d = 0; d < axis; ++d) outer *= dims[d];
    for (std::size_t d = axis + 1; d < dims.size(); ++d) inner *= dims[d];
  }
  std::size_t at(std::int64_t o, std::int64_t i, std::int64_t in) const {
    return static_cast<std::size_t>((o * extent + i) * inner + in);
  }
};

/// y[i] = f(x[i]).
template <class F>
void map(EvalView& v, F&& f) {
  const Array& x = v.in("x");
  Array& y = v.out();
  for (std::size_t i = 0; i < y.data.size(); ++i) y.data[i] = f(x.data[i]);
}

/// out = f(a, b) over the broadcast shape of out.
template <class F>
void zip(const Array& a, const Array& b, Array& out, F&& f) {
  const Dims sa = broadcast_strides(a.dims, out.dims), sb = broadcast_strides(b.dims, out.dims);
  for_each_index(out.dims, [&](const Dims& index, std::size_t flat) {
    out.data[flat] = f(a.data[offset(index, sa)], b.data[offset(index, sb)]);
  });
}

}  // namespace anemone::ops
