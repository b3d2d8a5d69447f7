// Sums, extremes, their places, and running sums.
#include <fmt/format.h>

#include <algorithm>

#include "anemone/frontends/onnx/lowering.h"

namespace anemone::onnx {
namespace {

// Absent: nothing is reduced.
std::optional<Dims> reduced_axes(const Call& c) {
  const std::size_t rank = c.rank(0);
  Dims axes = c.ints(1, "axes").value_or(Dims{});
  if (axes.empty()) {
    if (c.flag("noop_with_empty_axes", false)) return std::nullopt;
    for (std::size_t d = 0; d < rank; ++d) axes.push_back(static_cast<std::int64_t>(d));
  }
  for (std::int64_t& axis : axes) axis = static_cast<std::int64_t>(Call::axis(axis, rank));
  std::sort(axes.begin(), axes.end());
  return axes;
}

MilValue* reduced(Call& c, std::string_view op, MilValue* x, const Dims& axes) {
  return c.emit().add(op, {{"x", x}, {"axes", axes}, {"keep_dims", c.flag("keepdims", true)}});
}

// The reduction of no axis, or of a scalar, still applies its function to each element.
MilValue* of_nothing(Call& c, std::string_view op, MilValue* x) {
  Emit& emit = c.emit();
  if (op == "reduce_l1_norm" || op == "reduce_l2_norm") return emit.add("abs", {{"x", x}});
  if (op == "reduce_sum_square") return emit.add("square", {{"x", x}});
  if (op == "reduce_log_sum") return emit.add("log", {{"x", x}, {"epsilon", emit.number(x, 0)}});
  return x;
}

template <std::size_t kIndex>
void lower_reduce(Call& c) {
  static constexpr std::string_view kOps[] = {
      "reduce_sum",     "reduce_mean",    "reduce_max",        "reduce_min",     "reduce_prod",
      "reduce_l1_norm", "reduce_l2_norm", "reduce_sum_square", "reduce_log_sum", "reduce_log_sum_exp"};
  constexpr std::string_view op = kOps[kIndex];
  constexpr bool real_only = kIndex == 6 || kIndex >= 8;
  Emit& emit = c.emit();
  MilValue* x = c.in(0);
  const DType dtype = x->type.dtype;
  if (dtype == DType::boolean) x = emit.cast(x, DType::int32);
  if (real_only) x = c.real(0);
  const std::optional<Dims> axes = reduced_axes(c);
  MilValue* y = axes && !axes->empty() ? reduced(c, op, x, *axes) : of_nothing(c, op, x);
  if (kIndex == 1 && !is_float(dtype)) Call::refuse("the mean of integers");
  c.give(wrap(emit, emit.cast(y, dtype), c.dtype(0)));
}

void lower_arg(Call& c, std::string_view op) {
  Emit& emit = c.emit();
  MilValue* x = c.in(0);
  const std::size_t axis = Call::axis(c.integer("axis", 0), c.rank(0));
  const auto at = static_cast<std::int64_t>(axis);
  const bool last = c.flag("select_last_index", false);
  if (last) x = emit.add("reverse", {{"x", x}, {"axes", {at}}});
  MilValue* index = emit.add(op, {{"x", x}, {"axis", at}, {"keep_dims", c.flag("keepdims", true)}});
  if (last)
    index = emit.add("sub", {{"x", emit.number(index, static_cast<double>(c.dims(0)[axis] - 1))}, {"y", index}});
  c.give(index);
}
void lower_arg_max(Call& c) { lower_arg(c, "reduce_argmax"); }
void lower_arg_min(Call& c) { lower_arg(c, "reduce_argmin"); }

void lower_cumsum(Call& c) {
  const std::size_t axis = Call::axis(c.ints(1).at(0), c.rank(0));
  c.give(wrap(c.emit(),
              c.emit().add("cumsum", {{"x", c.in(0)},
                                      {"axis", static_cast<std::int64_t>(axis)},
                                      {"exclusive", c.flag("exclusive", false)},
                                      {"reverse", c.flag("reverse", false)}}),
              c.dtype(0)));
}

void give_topk(Call& c, std::int64_t k, bool largest, bool sorted) {
  Emit& emit = c.emit();
  const std::size_t axis = Call::axis(c.integer("axis", -1), c.rank(0));
  if (k < 1 || k > c.dims(0)[axis]) Call::refuse(fmt::format("the {} first of {}", k, c.dims(0)[axis]));
  const auto at = static_cast<std::int64_t>(axis);
  const std::vector<MilValue*> out =
      c.target() >= Target::ios16
          ? emit.add_all("topk", {{"x", c.in(0)}, {"k", k}, {"axis", at}, {"ascending", !largest}, {"sort", sorted}})
          : emit.add_all("topk", {{"x", c.in(0)}, {"k", k}, {"axis", at}, {"ascending", !largest}});
  c.give(0, out[0]);
  c.give(1, out[1]);
}
void lower_topk_attribute(Call& c) { give_topk(c, c.integer("k", 0), true, true); }
void lower_topk(Call& c) { give_topk(c, c.ints(1).at(0), c.flag("largest", true), c.flag("sorted", true)); }

constexpr Row kRows[] = {
    {"ReduceSum", 1, lower_reduce<0>},
    {"ReduceMean", 1, lower_reduce<1>, "integers"},
    {"ReduceMax", 1, lower_reduce<2>},
    {"ReduceMin", 1, lower_reduce<3>},
    {"ReduceProd", 1, lower_reduce<4>},
    {"ReduceL1", 1, lower_reduce<5>},
    {"ReduceL2", 1, lower_reduce<6>},
    {"ReduceSumSquare", 1, lower_reduce<7>},
    {"ReduceLogSum", 1, lower_reduce<8>},
    {"ReduceLogSumExp", 1, lower_reduce<9>},
    {"ArgMax", 1, lower_arg_max},
    {"ArgMin", 1, lower_arg_min},
    {"CumSum", 11, lower_cumsum, "an axis computed from data"},
    {"TopK", 1, lower_topk_attribute},
    {"TopK", 10, lower_topk, "a number computed from data"},
};

}  // namespace

std::span<const Row> reduction_lowerings() { return kRows; }

}  // namespace anemone::onnx
