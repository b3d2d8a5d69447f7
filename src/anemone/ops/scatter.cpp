// scatter, scatter_along_axis, scatter_nd: data with some elements replaced by, or combined with, updates.
#include <algorithm>

#include "anemone/ops/eval_util.h"
#include "anemone/ops/families.h"
#include "anemone/ops/infer_util.h"

namespace anemone::ops {
namespace {

constexpr DTypeSet kIndices17All = kInt32 | kSmallInts;

constexpr Param kScatter15[] = {input("data", kNumbers), input("indices", kInt32, 0), input("updates", kNumbers),
                                option("axis", kInt32, 0, 0), option("mode", kString, 0, "add")};
constexpr Param kScatter17[] = {input("data", kNumbers),           input("indices", kIndices17All, 0),
                                input("updates", kNumbers),        option("axis", kInt32, 0, 0),
                                option("mode", kString, 0, "add"), option("validate_indices", kBool, 0, false)};
constexpr Param kNd15[] = {input("data", kNumbers), input("indices", kInt32, 0), input("updates", kNumbers),
                           option("mode", kString, 0, "add")};
constexpr Param kNd17[] = {input("data", kNumbers), input("indices", kIndices17All, 0), input("updates", kNumbers),
                           option("mode", kString, 0, "add"), option("validate_indices", kBool, 0, false)};

Result<void> check_mode(const InferView& v) {
  return check_word(v, "mode", {"update", "add", "sub", "mul", "div", "max", "min"});
}

using Combine = double (*)(double old, double update);
Combine combination(const EvalView& v) {
  const std::string mode = v.text("mode");
  if (mode == "add") return [](double old, double update) { return old + update; };
  if (mode == "sub") return [](double old, double update) { return old - update; };
  if (mode == "mul") return [](double old, double update) { return old * update; };
  if (mode == "div") return [](double old, double update) { return old / update; };
  if (mode == "max") return [](double old, double update) { return std::max(old, update); };
  if (mode == "min") return [](double old, double update) { return std::min(old, update); };
  return [](double, double update) { return update; };
}

Result<std::int64_t> checked(const EvalView& v, double index, std::int64_t extent) {
  const auto i = static_cast<std::int64_t>(index);
  if (i < -extent || i >= extent) return v.wrong("indices", fmt::format("{} is outside of {} elements", i, extent));
  return i < 0 ? i + extent : i;
}

// scatter: updates is data[:axis] + indices.shape + data[axis+1:]
Types infer_scatter(const InferView& v) {
  const Type &data = v.type("data"), &indices = v.type("indices");
  TRY_VOID(check_mode(v));  // (C1)
  if (!data.ranked || !indices.ranked) return one(data);
  TRY(const std::int64_t axis, axis_in(v, "axis", v.integer("axis"), data.rank()));  // (C2)
  Dims expected(data.dims.begin(), data.dims.begin() + axis);
  expected.insert(expected.end(), indices.dims.begin(), indices.dims.end());
  expected.insert(expected.end(), data.dims.begin() + axis + 1, data.dims.end());
  TRY_VOID(check_dims(v, "updates", expected));  // (C3)
  return one(data);
}
constexpr Form kScatterForms[] = {{Target::ios15, kScatter15, infer_scatter},
                                  {Target::ios17, kScatter17, infer_scatter}};
Result<void> eval_scatter(EvalView& v) {
  const Array &data = v.in("data"), &indices = v.in("indices"), &updates = v.in("updates");
  Array& y = v.out();
  y.data = data.data;
  const Combine combine = combination(v);
  const AxisView view(data.dims, wrap_axis(v.integer("axis"), data.rank()));
  std::size_t at = 0;
  for (std::int64_t o = 0; o < view.outer; ++o) {
    for (double index : indices.data) {
      TRY(const std::int64_t i, checked(v, index, view.extent));
      for (std::int64_t in = 0; in < view.inner; ++in) {
        double& element = y.data[view.at(o, i, in)];
        element = combine(element, updates.data[at++]);
      }
    }
  }
  return {};
}

// scatter_along_axis: y[…, indices[…, i, …], …] combined with updates[…, i, …]
Types infer_along(const InferView& v) {
  const Type &data = v.type("data"), &indices = v.type("indices");
  TRY_VOID(check_mode(v));  // (C1)
  if (!data.ranked || !indices.ranked) return one(data);
  TRY(const std::int64_t axis, axis_in(v, "axis", v.integer("axis"), data.rank()));  // (C2)
  Dims expected = data.dims;
  if (indices.rank() == data.rank())
    expected[static_cast<std::size_t>(axis)] = indices.dims[static_cast<std::size_t>(axis)];
  TRY_VOID(check_dims(v, "indices", expected));      // (C3) equal extents but for the axis
  TRY_VOID(check_dims(v, "updates", indices.dims));  // (C4) one update an index
  return one(data);
}
constexpr Form kAlongForms[] = {{Target::ios15, kScatter15, infer_along}, {Target::ios17, kScatter17, infer_along}};
Result<void> eval_along(EvalView& v) {
  const Array &data = v.in("data"), &indices = v.in("indices"), &updates = v.in("updates");
  Array& y = v.out();
  y.data = data.data;
  const Combine combine = combination(v);
  const std::size_t axis = wrap_axis(v.integer("axis"), data.rank());
  const AxisView to(data.dims, axis), from(updates.dims, axis);
  for (std::int64_t o = 0; o < from.outer; ++o) {
    for (std::int64_t k = 0; k < from.extent; ++k) {
      for (std::int64_t in = 0; in < from.inner; ++in) {
        TRY(const std::int64_t i, checked(v, indices.data[from.at(o, k, in)], to.extent));
        double& element = y.data[to.at(o, i, in)];
        element = combine(element, updates.data[from.at(o, k, in)]);
      }
    }
  }
  return {};
}

// scatter_nd: the last dimension of indices holds positions in the leading dimensions of data.
Types infer_nd(const InferView& v) {
  const Type &data = v.type("data"), &indices = v.type("indices");
  TRY_VOID(check_mode(v));                   // (C1)
  TRY_VOID(check_rank(v, "indices", 1, 5));  // (C2)
  if (!data.ranked || !indices.ranked || indices.dims.back() == kUnknown) return one(data);
  const std::int64_t depth = indices.dims.back();
  if (depth < 1 || depth > data.rank()) {  // (C3) not deeper than data
    return v.wrong("indices", fmt::format("name {} dimensions, data has {}", depth, data.rank()));
  }
  Dims expected(indices.dims.begin(), indices.dims.end() - 1);
  expected.insert(expected.end(), data.dims.begin() + depth, data.dims.end());
  TRY_VOID(check_dims(v, "updates", expected));  // (C4)
  return one(data);
}
constexpr Form kNdForms[] = {{Target::ios15, kNd15, infer_nd}, {Target::ios17, kNd17, infer_nd}};
Result<void> eval_nd(EvalView& v) {
  const Array &data = v.in("data"), &indices = v.in("indices"), &updates = v.in("updates");
  Array& y = v.out();
  y.data = data.data;
  const Combine combine = combination(v);
  const auto depth = static_cast<std::size_t>(indices.dims.back());
  const Dims strides = row_major_strides(data.dims);
  const auto block = static_cast<std::size_t>(product(std::span(data.dims).subspan(depth)));
  for (std::size_t p = 0; p < indices.data.size() / depth; ++p) {
    std::size_t to = 0;
    for (std::size_t d = 0; d < depth; ++d) {
      TRY(const std::int64_t i, checked(v, indices.data[p * depth + d], data.dims[d]));
      to += static_cast<std::size_t>(i * strides[d]);
    }
    for (std::size_t k = 0; k < block; ++k) y.data[to + k] = combine(y.data[to + k], updates.data[p * block + k]);
  }
  return {};
}

constexpr OpDef kOps[] = {
    {.name = "scatter",
     .summary = "data with slices along axis combined with updates",
     .forms = kScatterForms,
     .eval = eval_scatter},
    {.name = "scatter_along_axis",
     .summary = "data[…, indices[…, i, …], …] combined with updates[…, i, …]",
     .forms = kAlongForms,
     .eval = eval_along},
    {.name = "scatter_nd",
     .summary = "data with the slices that indices name combined with updates",
     .forms = kNdForms,
     .eval = eval_nd},
};

}  // namespace

std::span<const OpDef> scatter() { return kOps; }

}  // namespace anemone::ops
