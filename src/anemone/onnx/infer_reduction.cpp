// Types of reductions and sorting.
#include <fmt/format.h>

#include <algorithm>

#include "anemone/onnx/infer.h"

namespace anemone::onnx {
namespace {

void reduce(InferView& v) {
  const Shape* x = v.shape(0);
  if (!x) return v.set(0, v.dtype(0), std::nullopt);
  const bool keep = v.node().integer("keepdims", 1) != 0;
  auto axes = v.integers(1, "axes");
  if (v.has(1) && !axes) return v.set(0, v.dtype(0), keep ? std::optional(unknown_shape(x->size())) : std::nullopt);
  if ((!axes || axes->empty()) && v.node().integer("noop_with_empty_axes", 0) != 0) return v.set(0, *v.type(0));
  std::vector<bool> reduced(x->size(), !axes || axes->empty());
  for (std::size_t i = 0; axes && i < axes->size(); ++i) {
    const auto axis = axis_of((*axes)[i], x->size());
    if (!axis) return v.fail(fmt::format("axis {} is outside rank {}", (*axes)[i], x->size()));
    reduced[static_cast<std::size_t>(*axis)] = true;
  }
  Shape out;
  for (std::size_t i = 0; i < x->size(); ++i) {
    if (!reduced[i]) out.push_back((*x)[i]);
    if (reduced[i] && keep) out.push_back(known_extent(1));
  }
  v.set(0, v.dtype(0), std::move(out));
}

void arg_extremum(InferView& v) {
  const Shape* x = v.shape(0);
  if (!x) return v.set(0, DataType::int64, std::nullopt);
  const auto axis = axis_of(v.node().integer("axis", 0), x->size());
  if (!axis) return v.fail("the axis is outside the rank");
  Shape out = *x;
  if (v.node().integer("keepdims", 1) != 0) {
    out[static_cast<std::size_t>(*axis)] = known_extent(1);
  } else {
    out.erase(out.begin() + *axis);
  }
  v.set(0, DataType::int64, std::move(out));
}

void top_k(InferView& v) {
  const Shape* x = v.shape(0);
  std::optional<Shape> out;
  if (x) {
    const auto axis = axis_of(v.node().integer("axis", -1), x->size());
    if (!axis) return v.fail("the axis is outside the rank");
    std::optional<std::vector<std::int64_t>> k = v.has(1) ? v.integers(1) : std::nullopt;
    if (!v.has(1) && v.node().attribute("k")) k.emplace(1, v.node().integer("k", 0));
    out = *x;
    (*out)[static_cast<std::size_t>(*axis)] =
        k && k->size() == 1 && k->front() >= 0 ? known_extent(k->front()) : Dimension{};
  }
  v.set(0, v.dtype(0), out);
  v.set(1, DataType::int64, out);
}

void non_max_suppression(InferView& v) { v.set(0, DataType::int64, Shape{Dimension{}, known_extent(3)}); }

void non_zero(InferView& v) {
  const Shape* x = v.shape(0);
  const Dimension rank = x ? known_extent(static_cast<std::int64_t>(std::max<std::size_t>(x->size(), 1))) : Dimension{};
  v.set(0, DataType::int64, Shape{rank, Dimension{}});
}

constexpr InferRow kRows[] = {
    {"ArgMax", arg_extremum}, {"ArgMin", arg_extremum},    {"NonMaxSuppression", non_max_suppression},
    {"NonZero", non_zero},    {"ReduceL1", reduce},        {"ReduceL2", reduce},
    {"ReduceLogSum", reduce}, {"ReduceLogSumExp", reduce}, {"ReduceMax", reduce},
    {"ReduceMean", reduce},   {"ReduceMin", reduce},       {"ReduceProd", reduce},
    {"ReduceSum", reduce},    {"ReduceSumSquare", reduce}, {"TopK", top_k},
};

}  // namespace

std::span<const InferRow> reduction_rows() { return kRows; }

}  // namespace anemone::onnx
