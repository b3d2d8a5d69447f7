// Reductions over any set of axes, and the positions of extremes along one.
#include <algorithm>

#include "anemone/ops/eval_util.h"
#include "anemone/ops/families.h"
#include "anemone/ops/infer_util.h"

namespace anemone::ops {
namespace {

constexpr Param kReduce[] = {input("x", kNumbers), option("axes", kInt32, 0, derived("all")),
                             option("keep_dims", kBool, 0, false)};

Dims without_axes(const Dims& dims, const Dims& axes, bool keep) {
  Dims out;
  for (std::size_t d = 0; d < dims.size(); ++d) {
    const bool reduced = std::find(axes.begin(), axes.end(), static_cast<std::int64_t>(d)) != axes.end();
    if (!reduced) out.push_back(dims[d]);
    if (reduced && keep) out.push_back(1);
  }
  return out;
}
Dims all_axes(std::int64_t rank) {
  Dims axes;
  for (std::int64_t d = 0; d < rank; ++d) axes.push_back(d);
  return axes;
}

Types infer_reduce(const InferView& v) {
  const Type& x = v.type("x");
  if (!x.ranked) return one(x);
  TRY(Dims axes, axes_in(v, "axes", v.ints("axes"), x.rank()));  // (C1) axes exist, once each
  if (!v.has("axes")) axes = all_axes(x.rank());
  return one(x.dtype, without_axes(x.dims, axes, v.flag("keep_dims")));
}
constexpr Form kReduceForms[] = {{Target::ios15, kReduce, infer_reduce}};

// For each output element, in order of memory: acc = step(acc, x) over the elements that it covers.
template <class Step>
void reduce(EvalView& v, double start, Step&& step) {
  const Array& x = v.in("x");
  Array& y = v.out();
  Dims axes = v.ints("axes");
  for (std::int64_t& axis : axes) axis = static_cast<std::int64_t>(wrap_axis(axis, x.rank()));
  if (!v.has("axes")) axes = all_axes(x.rank());
  const Dims strides = broadcast_strides(without_axes(x.dims, axes, true), x.dims);
  std::fill(y.data.begin(), y.data.end(), start);
  for_each_index(x.dims, [&](const Dims& index, std::size_t flat) {
    double& acc = y.data[offset(index, strides)];
    acc = step(acc, x.data[flat]);
  });
}
template <class Finish>
void finish(EvalView& v, Finish&& f) {
  for (double& acc : v.out().data) acc = f(acc);
}

double add(double acc, double x) { return acc + x; }
double add_square(double acc, double x) { return acc + x * x; }
double higher(double acc, double x) { return std::isnan(x) || x > acc ? x : acc; }

Result<void> eval_sum(EvalView& v) {
  reduce(v, 0, add);
  return {};
}
Result<void> eval_mean(EvalView& v) {
  reduce(v, 0, add);
  const double covered = static_cast<double>(v.in("x").count()) / static_cast<double>(v.out().count());
  finish(v, [&](double sum) { return sum / covered; });
  return {};
}
Result<void> eval_max(EvalView& v) {
  reduce(v, -HUGE_VAL, higher);
  return {};
}
Result<void> eval_min(EvalView& v) {
  reduce(v, HUGE_VAL, [](double acc, double x) { return std::isnan(x) || x < acc ? x : acc; });
  return {};
}
Result<void> eval_prod(EvalView& v) {
  reduce(v, 1, [](double acc, double x) { return acc * x; });
  return {};
}
Result<void> eval_l1_norm(EvalView& v) {
  reduce(v, 0, [](double acc, double x) { return acc + std::fabs(x); });
  return {};
}
Result<void> eval_l2_norm(EvalView& v) {
  reduce(v, 0, add_square);
  finish(v, [](double sum) { return std::sqrt(sum); });
  return {};
}
Result<void> eval_sum_square(EvalView& v) {
  reduce(v, 0, add_square);
  return {};
}
Result<void> eval_log_sum(EvalView& v) {
  reduce(v, 0, add);
  finish(v, [](double sum) { return std::log(sum); });
  return {};
}
Result<void> eval_log_sum_exp(EvalView& v) {
  // log Σ eˣ = m + log Σ e^(x−m), accumulated as log(e^acc + eˣ).
  reduce(v, -HUGE_VAL, [](double acc, double x) {
    const double high = std::max(acc, x), low = std::min(acc, x);
    return std::isinf(high) ? high : high + std::log1p(std::exp(low - high));
  });
  return {};
}

// reduce_argmax, reduce_argmin
constexpr Param kArg15[] = {input("x", kNumbers), option("axis", kInt32, 0, -1), option("keep_dims", kBool, 0, false)};
constexpr Param kArg17[] = {input("x", kNumbers), option("axis", kInt32, 0, -1), option("keep_dims", kBool, 0, false),
                            option("output_dtype", kString, 0, "int32")};
Types infer_arg(const InferView& v) {
  const Type& x = v.type("x");
  TRY_VOID(check_word(v, "output_dtype", {"int32", "uint16"}));  // (C2)
  const DType dtype = *dtype_from(v.text("output_dtype"));
  if (!x.ranked) return one(Type::unranked(dtype));
  TRY(const std::int64_t axis, axis_in(v, "axis", v.integer("axis"), x.rank()));  // (C1)
  return one(dtype, without_axes(x.dims, {axis}, v.flag("keep_dims")));
}
constexpr Form kArgForms[] = {{Target::ios15, kArg15, infer_arg}, {Target::ios17, kArg17, infer_arg}};

template <bool Highest>
Result<void> eval_arg(EvalView& v) {
  const Array& x = v.in("x");
  Array& y = v.out();
  const AxisView view(x.dims, wrap_axis(v.integer("axis"), x.rank()));
  for (std::int64_t o = 0; o < view.outer; ++o) {
    for (std::int64_t in = 0; in < view.inner; ++in) {
      std::int64_t best = 0;  // the first of equals
      for (std::int64_t i = 1; i < view.extent; ++i) {
        const double challenger = x.data[view.at(o, i, in)], holder = x.data[view.at(o, best, in)];
        if (Highest ? challenger > holder : challenger < holder) best = i;
      }
      y.data[static_cast<std::size_t>(o * view.inner + in)] = static_cast<double>(best);
    }
  }
  return {};
}

constexpr OpDef kOps[] = {
    {.name = "reduce_sum", .summary = "Σx", .forms = kReduceForms, .eval = eval_sum, .traits = kReduction},
    {.name = "reduce_mean", .summary = "the mean of x", .forms = kReduceForms, .eval = eval_mean, .traits = kReduction},
    {.name = "reduce_max", .summary = "the greatest x", .forms = kReduceForms, .eval = eval_max, .traits = kReduction},
    {.name = "reduce_min", .summary = "the least x", .forms = kReduceForms, .eval = eval_min, .traits = kReduction},
    {.name = "reduce_prod", .summary = "Πx", .forms = kReduceForms, .eval = eval_prod, .traits = kReduction},
    {.name = "reduce_l1_norm", .summary = "Σ|x|", .forms = kReduceForms, .eval = eval_l1_norm, .traits = kReduction},
    {.name = "reduce_l2_norm", .summary = "√Σx²", .forms = kReduceForms, .eval = eval_l2_norm, .traits = kReduction},
    {.name = "reduce_sum_square",
     .summary = "Σx²",
     .forms = kReduceForms,
     .eval = eval_sum_square,
     .traits = kReduction},
    {.name = "reduce_log_sum", .summary = "log Σx", .forms = kReduceForms, .eval = eval_log_sum, .traits = kReduction},
    {.name = "reduce_log_sum_exp",
     .summary = "log Σeˣ",
     .forms = kReduceForms,
     .eval = eval_log_sum_exp,
     .traits = kReduction},
    {.name = "reduce_argmax",
     .summary = "the index of the greatest x, the first of equals",
     .forms = kArgForms,
     .eval = eval_arg<true>,
     .traits = kReduction},
    {.name = "reduce_argmin",
     .summary = "the index of the least x, the first of equals",
     .forms = kArgForms,
     .eval = eval_arg<false>,
     .traits = kReduction},
};

}  // namespace

std::span<const OpDef> reduction() { return kOps; }

}  // namespace anemone::ops
