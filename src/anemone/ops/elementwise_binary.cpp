// Elementwise functions of two operands, comparisons, logic, and select. Shapes broadcast as numpy's do.
#include <algorithm>

#include "anemone/ops/eval_util.h"
#include "anemone/ops/families.h"
#include "anemone/ops/infer_util.h"

namespace anemone::ops {
namespace {

constexpr Param kNumber[] = {input("x", kNumbers), input("y", kNumbers)};
constexpr Param kLogical[] = {input("x", kBool), input("y", kBool)};

Types infer_broadcast(const InferView& v, std::string_view first, std::string_view second, DType dtype) {
  const Type &a = v.type(first), &b = v.type(second);
  if (!a.ranked || !b.ranked) return one(Type::unranked(dtype));
  auto dims = broadcast(a.dims, b.dims);
  if (!dims) {  // (C1) extents are equal or 1
    return v.wrong(second, fmt::format("{} does not broadcast with {}", brief(b.dims), brief(a.dims)));
  }
  return one(dtype, std::move(*dims));
}
Types infer_arithmetic(const InferView& v) { return infer_broadcast(v, "x", "y", v.type("x").dtype); }
Types infer_comparison(const InferView& v) { return infer_broadcast(v, "x", "y", DType::boolean); }

constexpr Form kArithmeticForms[] = {{Target::ios15, kNumber, infer_arithmetic}};
constexpr Form kComparisonForms[] = {{Target::ios15, kNumber, infer_comparison}};
constexpr Form kLogicalForms[] = {{Target::ios15, kLogical, infer_comparison}};

template <double (*F)(double, double)>
Result<void> eval_zip(EvalView& v) {
  zip(v.in("x"), v.in("y"), v.out(), F);
  return {};
}

double add(double x, double y) { return x + y; }
double sub(double x, double y) { return x - y; }
double mul(double x, double y) { return x * y; }
double maximum(double x, double y) { return std::isnan(x) || x > y ? x : y; }
double minimum(double x, double y) { return std::isnan(x) || x < y ? x : y; }
double real_div(double x, double y) { return x / y; }
double floor_div(double x, double y) { return std::floor(x / y); }
double mod(double x, double y) { return x - y * std::floor(x / y); }  // the sign of the divisor
double power(double x, double y) { return std::pow(x, y); }
double greater(double x, double y) { return x > y; }
double greater_equal(double x, double y) { return x >= y; }
double less(double x, double y) { return x < y; }
double less_equal(double x, double y) { return x <= y; }
double equal(double x, double y) { return x == y; }
double not_equal(double x, double y) { return x != y; }
double logical_and(double x, double y) { return x != 0 && y != 0; }
double logical_or(double x, double y) { return x != 0 || y != 0; }
double logical_xor(double x, double y) { return (x != 0) != (y != 0); }

// select
constexpr Param kSelect[] = {input("cond", kBool, 0), input("a", kNumbersBool), input("b", kNumbersBool)};
Types infer_select(const InferView& v) {
  TRY(std::vector<Type> types, infer_broadcast(v, "a", "b", v.type("a").dtype));
  const Type& cond = v.type("cond");
  if (!cond.ranked || !types[0].ranked) return types;
  const auto all = broadcast(cond.dims, types[0].dims);
  if (!all || !may_equal(*all, types[0].dims)) {  // (C2) cond fits into the shape that a and b make
    return v.wrong("cond", fmt::format("{} does not broadcast into {}", brief(cond.dims), brief(types[0].dims)));
  }
  return types;
}
constexpr Form kSelectForms[] = {{Target::ios15, kSelect, infer_select}};
Result<void> eval_select(EvalView& v) {
  const Array &cond = v.in("cond"), &a = v.in("a"), &b = v.in("b");
  Array& y = v.out();
  const Dims sc = broadcast_strides(cond.dims, y.dims), sa = broadcast_strides(a.dims, y.dims),
             sb = broadcast_strides(b.dims, y.dims);
  for_each_index(y.dims, [&](const Dims& index, std::size_t flat) {
    y.data[flat] = cond.data[offset(index, sc)] != 0 ? a.data[offset(index, sa)] : b.data[offset(index, sb)];
  });
  return {};
}

constexpr OpDef kOps[] = {
    {.name = "add", .summary = "x + y", .forms = kArithmeticForms, .eval = eval_zip<add>, .traits = kElementwise},
    {.name = "sub", .summary = "x − y", .forms = kArithmeticForms, .eval = eval_zip<sub>, .traits = kElementwise},
    {.name = "mul", .summary = "x · y", .forms = kArithmeticForms, .eval = eval_zip<mul>, .traits = kElementwise},
    {.name = "real_div",
     .summary = "x / y",
     .forms = kArithmeticForms,
     .eval = eval_zip<real_div>,
     .traits = kElementwise},
    {.name = "floor_div",
     .summary = "⌊x / y⌋",
     .forms = kArithmeticForms,
     .eval = eval_zip<floor_div>,
     .traits = kElementwise},
    {.name = "mod",
     .summary = "x − y · ⌊x / y⌋",
     .forms = kArithmeticForms,
     .eval = eval_zip<mod>,
     .traits = kElementwise},
    {.name = "pow", .summary = "xʸ", .forms = kArithmeticForms, .eval = eval_zip<power>, .traits = kElementwise},
    {.name = "maximum",
     .summary = "the greater of x and y",
     .forms = kArithmeticForms,
     .eval = eval_zip<maximum>,
     .traits = kElementwise},
    {.name = "minimum",
     .summary = "the lesser of x and y",
     .forms = kArithmeticForms,
     .eval = eval_zip<minimum>,
     .traits = kElementwise},
    {.name = "greater",
     .summary = "x > y",
     .forms = kComparisonForms,
     .eval = eval_zip<greater>,
     .traits = kElementwise},
    {.name = "greater_equal",
     .summary = "x ≥ y",
     .forms = kComparisonForms,
     .eval = eval_zip<greater_equal>,
     .traits = kElementwise},
    {.name = "less", .summary = "x < y", .forms = kComparisonForms, .eval = eval_zip<less>, .traits = kElementwise},
    {.name = "less_equal",
     .summary = "x ≤ y",
     .forms = kComparisonForms,
     .eval = eval_zip<less_equal>,
     .traits = kElementwise},
    {.name = "equal", .summary = "x = y", .forms = kComparisonForms, .eval = eval_zip<equal>, .traits = kElementwise},
    {.name = "not_equal",
     .summary = "x ≠ y",
     .forms = kComparisonForms,
     .eval = eval_zip<not_equal>,
     .traits = kElementwise},
    {.name = "logical_and",
     .summary = "x and y",
     .forms = kLogicalForms,
     .eval = eval_zip<logical_and>,
     .traits = kElementwise},
    {.name = "logical_or",
     .summary = "x or y",
     .forms = kLogicalForms,
     .eval = eval_zip<logical_or>,
     .traits = kElementwise},
    {.name = "logical_xor",
     .summary = "either x or y",
     .forms = kLogicalForms,
     .eval = eval_zip<logical_xor>,
     .traits = kElementwise},
    {.name = "select", .summary = "cond ? a : b", .forms = kSelectForms, .eval = eval_select, .traits = kElementwise},
};

}  // namespace

std::span<const OpDef> elementwise_binary() { return kOps; }

}  // namespace anemone::ops
