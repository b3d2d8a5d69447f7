// topk, argsort, non_zero.
#include <algorithm>
#include <numeric>

#include "anemone/ops/eval_util.h"
#include "anemone/ops/families.h"
#include "anemone/ops/infer_util.h"

namespace anemone::ops {
namespace {

// Positions along one line of x in the order of their elements; equal elements keep their order.
std::vector<std::int64_t> sorted_positions(const Array& x, const AxisView& view, std::int64_t o, std::int64_t in,
                                           bool ascending) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(view.extent));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    const double left = x.data[view.at(o, a, in)], right = x.data[view.at(o, b, in)];
    return ascending ? left < right : left > right;
  });
  return order;
}

// topk
constexpr Param kTop15[] = {input("x", kNumbers), option("k", kInt32, 0, 1), option("axis", kInt32, 0, -1),
                            option("ascending", kBool, 0, false)};
constexpr Param kTop16[] = {input("x", kNumbers),           option("k", kInt32, 0, 1),
                            option("axis", kInt32, 0, -1),  option("ascending", kBool, 0, false),
                            option("sort", kBool, 0, true), option("return_indices", kBool, 0, true)};
constexpr Param kTop17[] = {input("x", kNumbers | kSmallInts),
                            maybe("k", kIndices17 | kSmallInts, 0, 1),
                            option("axis", kInt32, 0, -1),
                            option("ascending", kBool, 0, false),
                            option("sort", kBool, 0, true),
                            option("return_indices", kBool, 0, true),
                            option("output_indices_dtype", kString, 0, "int32")};
Types infer_topk(const InferView& v) {
  Type values = v.type("x");
  TRY_VOID(check_word(v, "output_indices_dtype", {"int32", "uint16"}));  // (C1)
  if (values.ranked) {
    TRY(const std::int64_t axis, axis_in(v, "axis", v.integer("axis"), values.rank()));  // (C2)
    std::int64_t& extent = values.dims[static_cast<std::size_t>(axis)];
    const auto given = v.known_ints("k");
    if (v.has("k") && !given) {
      extent = kUnknown;
    } else {
      const std::int64_t k = given && !given->empty() ? (*given)[0] : 1;
      if (k < -1 || k == 0 || (extent != kUnknown && k > extent)) {  // (C3) −1 or some of the elements
        return v.wrong("k", fmt::format("{} of {} elements", k, extent));
      }
      if (k != -1) extent = k;
    }
  }
  std::vector<Type> types{values};
  if (v.flag("return_indices")) {
    values.dtype = *dtype_from(v.text("output_indices_dtype"));
    types.push_back(std::move(values));
  }
  return types;
}
constexpr Form kTopForms[] = {
    {Target::ios15, kTop15, infer_topk}, {Target::ios16, kTop16, infer_topk}, {Target::ios17, kTop17, infer_topk}};
Result<void> eval_topk(EvalView& v) {
  const Array& x = v.in("x");
  const std::size_t axis = wrap_axis(v.integer("axis"), x.rank());
  const AxisView from(x.dims, axis), to(v.out(0).dims, axis);
  const bool ascending = v.flag("ascending"), indices = v.flag("return_indices");
  for (std::int64_t o = 0; o < from.outer; ++o) {
    for (std::int64_t in = 0; in < from.inner; ++in) {
      const auto order = sorted_positions(x, from, o, in, ascending);
      for (std::int64_t k = 0; k < to.extent; ++k) {
        const std::int64_t best = order[static_cast<std::size_t>(k)];
        v.out(0).data[to.at(o, k, in)] = x.data[from.at(o, best, in)];
        if (indices) v.out(1).data[to.at(o, k, in)] = static_cast<double>(best);
      }
    }
  }
  return {};
}

// argsort
constexpr Param kArgsort[] = {input("x", kNumbers), option("axis", kInt32, 0, -1),
                              option("ascending", kBool, 0, false)};
Types infer_argsort(const InferView& v) {
  Type type = v.type("x");
  if (type.ranked) TRY_VOID(axis_in(v, "axis", v.integer("axis"), type.rank()));  // (C1)
  type.dtype = DType::int32;
  return one(std::move(type));
}
constexpr Form kArgsortForms[] = {{Target::ios15, kArgsort, infer_argsort}};
Result<void> eval_argsort(EvalView& v) {
  const Array& x = v.in("x");
  const AxisView view(x.dims, wrap_axis(v.integer("axis"), x.rank()));
  const bool ascending = v.flag("ascending");
  for (std::int64_t o = 0; o < view.outer; ++o) {
    for (std::int64_t in = 0; in < view.inner; ++in) {
      const auto order = sorted_positions(x, view, o, in, ascending);
      for (std::int64_t k = 0; k < view.extent; ++k) {
        v.out().data[view.at(o, k, in)] = static_cast<double>(order[static_cast<std::size_t>(k)]);
      }
    }
  }
  return {};
}

// non_zero: how many rows there are is known only from the data.
constexpr Param kNonZero[] = {input("x", kNumbersBool)};
Types infer_non_zero(const InferView& v) {
  return one(DType::int32, {kUnknown, v.type("x").ranked ? v.type("x").rank() : kUnknown});
}
constexpr Form kNonZeroForms[] = {{Target::ios15, kNonZero, infer_non_zero}};
Result<void> eval_non_zero(EvalView& v) {
  const Array& x = v.in("x");
  Array& y = v.out();
  y.dims = {0, x.rank()};
  y.data.clear();
  for_each_index(x.dims, [&](const Dims& index, std::size_t flat) {
    if (x.data[flat] == 0) return;
    ++y.dims[0];
    y.data.insert(y.data.end(), index.begin(), index.end());
  });
  return {};
}

constexpr OpDef kOps[] = {
    {.name = "topk",
     .summary = "the k greatest (or least) elements along axis, and where they were",
     .forms = kTopForms,
     .eval = eval_topk},
    {.name = "argsort",
     .summary = "positions along axis in the order of their elements, greatest first by default",
     .forms = kArgsortForms,
     .eval = eval_argsort},
    {.name = "non_zero",
     .summary = "the indices of elements that are not 0",
     .forms = kNonZeroForms,
     .eval = eval_non_zero},
};

}  // namespace

std::span<const OpDef> sort() { return kOps; }

}  // namespace anemone::ops
