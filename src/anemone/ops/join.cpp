// concat, stack, split.
#include <algorithm>
#include <numeric>

#include "anemone/ops/eval_util.h"
#include "anemone/ops/families.h"
#include "anemone/ops/infer_util.h"

namespace anemone::ops {
namespace {

// concat. Scalars count as vectors of one.
constexpr Param kConcat15[] = {several("values", kNumbersBool), fixed("axis", kInt32),
                               option("interleave", kBool, 0, false)};
constexpr Param kConcat17[] = {several("values", kAny17), fixed("axis", kInt32), option("interleave", kBool, 0, false)};

Dims at_least_vector(Dims dims) {
  if (dims.empty()) dims.push_back(1);
  return dims;
}

Types infer_concat(const InferView& v) {
  const auto types = v.types("values");
  const DType dtype = types[0]->dtype;
  for (const Type* type : types) {
    if (!type->ranked) return one(Type::unranked(dtype));
  }
  Dims out = at_least_vector(types[0]->dims);
  TRY(const std::int64_t axis, axis_in(v, "axis", v.integer("axis"), static_cast<std::int64_t>(out.size())));  // (C1)
  const auto a = static_cast<std::size_t>(axis);
  const bool interleave = v.flag("interleave");
  for (std::size_t i = 1; i < types.size(); ++i) {
    const Dims dims = at_least_vector(types[i]->dims);
    if (dims.size() != out.size()) {  // (C2) equal ranks
      return v.wrong("values",
                     fmt::format("operand {} has rank {}, the first has {}", i, types[i]->rank(), types[0]->rank()));
    }
    for (std::size_t d = 0; d < out.size(); ++d) {
      if (d != a && !may_equal(out[d], dims[d])) {  // (C3) equal extents but for the axis
        return v.wrong("values", fmt::format("operand {} is {}, the first is {}; only dimension {} may differ", i,
                                             brief(types[i]->dims), brief(types[0]->dims), a));
      }
      if (d != a && out[d] == kUnknown) out[d] = dims[d];
    }
    if (interleave && !may_equal(at_least_vector(types[0]->dims)[a], dims[a])) {  // (C4) interleaved: all equal
      return v.wrong("values", fmt::format("operand {} is {}, the first is {}; interleaving needs equal shapes", i,
                                           brief(types[i]->dims), brief(types[0]->dims)));
    }
    out[a] = plus(out[a], dims[a]);
  }
  return one(dtype, std::move(out));
}
constexpr Form kConcatForms[] = {{Target::ios15, kConcat15, infer_concat}, {Target::ios17, kConcat17, infer_concat}};

Result<void> eval_concat(EvalView& v) {
  const auto values = v.ins("values");
  Array& y = v.out();
  const std::size_t axis = wrap_axis(v.integer("axis"), y.rank());
  const AxisView to(y.dims, axis);
  const auto count = static_cast<std::int64_t>(values.size());
  const bool interleave = v.flag("interleave");
  std::int64_t start = 0;
  for (std::int64_t k = 0; k < count; ++k) {
    const Array& part = *values[static_cast<std::size_t>(k)];
    const AxisView from(at_least_vector(part.dims), axis);
    for (std::int64_t o = 0; o < from.outer; ++o) {
      for (std::int64_t i = 0; i < from.extent; ++i) {
        for (std::int64_t in = 0; in < from.inner; ++in) {
          y.data[to.at(o, interleave ? i * count + k : start + i, in)] = part.data[from.at(o, i, in)];
        }
      }
    }
    start += from.extent;
  }
  return {};
}

// stack
constexpr Param kStack15[] = {several("values", kNumbersBool), fixed("axis", kInt32)};
constexpr Param kStack17[] = {several("values", kAny17), fixed("axis", kInt32)};
Types infer_stack(const InferView& v) {
  const auto types = v.types("values");
  const DType dtype = types[0]->dtype;
  for (const Type* type : types) {
    if (!type->ranked) return one(Type::unranked(dtype));
  }
  Dims out = types[0]->dims;
  for (std::size_t i = 1; i < types.size(); ++i) {
    if (!may_equal(out, types[i]->dims)) {  // (C1) equal shapes
      return v.wrong("values",
                     fmt::format("operand {} is {}, the first is {}", i, brief(types[i]->dims), brief(types[0]->dims)));
    }
    for (std::size_t d = 0; d < out.size(); ++d) {
      if (out[d] == kUnknown) out[d] = types[i]->dims[d];
    }
  }
  TRY(const std::int64_t axis,
      axis_in(v, "axis", v.integer("axis"), static_cast<std::int64_t>(out.size()) + 1));  // (C2)
  out.insert(out.begin() + axis, static_cast<std::int64_t>(types.size()));
  return one(dtype, std::move(out));
}
constexpr Form kStackForms[] = {{Target::ios15, kStack15, infer_stack}, {Target::ios17, kStack17, infer_stack}};
Result<void> eval_stack(EvalView& v) {
  const auto values = v.ins("values");
  Array& y = v.out();
  const AxisView to(y.dims, wrap_axis(v.integer("axis"), y.rank()));
  for (std::int64_t k = 0; k < to.extent; ++k) {
    for (std::int64_t o = 0; o < to.outer; ++o) {
      for (std::int64_t in = 0; in < to.inner; ++in) {
        y.data[to.at(o, k, in)] =
            values[static_cast<std::size_t>(k)]->data[static_cast<std::size_t>(o * to.inner + in)];
      }
    }
  }
  return {};
}

// split
constexpr Param kSplit15[] = {input("x", kNumbersBool), option("num_splits", kInt32), option("split_sizes", kInt32),
                              fixed("axis", kInt32)};
constexpr Param kSplit17[] = {input("x", kAny17), option("num_splits", kInt32), option("split_sizes", kInt32),
                              fixed("axis", kInt32)};
constexpr std::int64_t kMostParts = 1 << 16;
Types infer_split(const InferView& v) {
  const Type& x = v.type("x");
  Dims sizes = v.ints("split_sizes");
  const std::int64_t count = v.has("num_splits") ? v.integer("num_splits") : static_cast<std::int64_t>(sizes.size());
  if (count < 1 || count > kMostParts ||
      (v.has("split_sizes") && static_cast<std::int64_t>(sizes.size()) != count)) {  // (C1)
    return v.wrong("num_splits", fmt::format("{} parts with {} sizes", count, sizes.size()),
                   "give num_splits or split_sizes");
  }
  if (!x.ranked) return std::vector<Type>(static_cast<std::size_t>(count), x);
  TRY(const std::int64_t axis, axis_in(v, "axis", v.integer("axis"), x.rank()));  // (C2)
  const std::int64_t extent = x.dims[static_cast<std::size_t>(axis)];
  if (sizes.empty()) {
    if (extent != kUnknown && extent % count != 0) {  // (C3) even parts
      return v.wrong("num_splits", fmt::format("{} does not divide {}", count, extent));
    }
    sizes.assign(static_cast<std::size_t>(count), extent == kUnknown ? kUnknown : extent / count);
  } else if (std::any_of(sizes.begin(), sizes.end(), [](std::int64_t s) { return s < 0; }) ||
             !may_equal(extent, std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0}))) {  // (C4) sizes add up
    return v.wrong("split_sizes", fmt::format("{} do not add up to {}", brief(sizes), extent));
  }
  std::vector<Type> out;
  for (std::int64_t size : sizes) {
    out.push_back(x);
    out.back().dims[static_cast<std::size_t>(axis)] = size;
  }
  return out;
}
constexpr Form kSplitForms[] = {{Target::ios15, kSplit15, infer_split}, {Target::ios17, kSplit17, infer_split}};
Result<void> eval_split(EvalView& v) {
  const Array& x = v.in("x");
  const std::size_t axis = wrap_axis(v.integer("axis"), x.rank());
  const AxisView from(x.dims, axis);
  std::int64_t start = 0;
  for (std::size_t part = 0; start < from.extent; ++part) {
    Array& y = v.out(part);
    const AxisView to(y.dims, axis);
    for (std::int64_t o = 0; o < to.outer; ++o) {
      for (std::int64_t i = 0; i < to.extent; ++i) {
        for (std::int64_t in = 0; in < to.inner; ++in) y.data[to.at(o, i, in)] = x.data[from.at(o, start + i, in)];
      }
    }
    start += to.extent;
  }
  return {};
}

constexpr OpDef kOps[] = {
    {.name = "concat",
     .summary = "the values one after the other along axis, or alternating",
     .forms = kConcatForms,
     .eval = eval_concat,
     .traits = kMovement},
    {.name = "stack",
     .summary = "the values along a new axis",
     .forms = kStackForms,
     .eval = eval_stack,
     .traits = kMovement},
    {.name = "split",
     .summary = "parts of x along axis",
     .forms = kSplitForms,
     .eval = eval_split,
     .traits = kMovement},
};

}  // namespace

std::span<const OpDef> join() { return kOps; }

}  // namespace anemone::ops
