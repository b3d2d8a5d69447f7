// Elementwise functions of one operand.
#include <algorithm>

#include "anemone/ops/eval_util.h"
#include "anemone/ops/families.h"
#include "anemone/ops/infer_util.h"

namespace anemone::ops {
namespace {

constexpr Param kFloat[] = {input("x")};
constexpr Param kNumber[] = {input("x", kNumbers)};
constexpr Param kLogical[] = {input("x", kBool)};
constexpr Form kFloatForms[] = {{Target::ios15, kFloat, same_as_x}};
constexpr Form kNumberForms[] = {{Target::ios15, kNumber, same_as_x}};
constexpr Form kLogicalForms[] = {{Target::ios15, kLogical, same_as_x}};

template <double (*F)(double)>
Result<void> eval_map(EvalView& v) {
  map(v, F);
  return {};
}

double square(double x) { return x * x; }
double sign(double x) { return x > 0 ? 1 : x < 0 ? -1 : x; }
double logical_not(double x) { return x == 0; }
double absolute(double x) { return std::fabs(x); }
double round_half_even(double x) { return std::nearbyint(x); }

// log, rsqrt, inverse: a small number keeps them finite at 0. Its default is rounded to the dtype of x: 0 in fp16.
constexpr Param kLog15[] = {input("x"), option("epsilon", kFloats, 'T', 1e-45)};
constexpr Param kLog17[] = {input("x"), option("epsilon", kFloats, 'U', 1e-45)};
constexpr Param kRsqrt15[] = {input("x"), option("epsilon", kFloats, 'T', 1e-12)};
constexpr Param kRsqrt17[] = {input("x"), option("epsilon", kFloats, 'U', 1e-12)};
constexpr Param kInverse15[] = {input("x"), option("epsilon", kFloats, 'T', 1e-4)};
constexpr Param kInverse17[] = {input("x"), option("epsilon", kFloats, 'U', 1e-4)};
constexpr Form kLogForms[] = {{Target::ios15, kLog15, same_as_x}, {Target::ios17, kLog17, same_as_x}};
constexpr Form kRsqrtForms[] = {{Target::ios15, kRsqrt15, same_as_x}, {Target::ios17, kRsqrt17, same_as_x}};
constexpr Form kInverseForms[] = {{Target::ios15, kInverse15, same_as_x}, {Target::ios17, kInverse17, same_as_x}};

// The default is rounded to the dtype of x as a given one would be.
double epsilon_of(const EvalView& v) {
  return number_of(v, "epsilon", rounded(v.fallback("epsilon").number, v.in("x").dtype));
}

Result<void> eval_log(EvalView& v) {
  const double epsilon = epsilon_of(v);
  map(v, [&](double x) { return std::log(x + epsilon); });
  return {};
}
Result<void> eval_rsqrt(EvalView& v) {
  const double epsilon = epsilon_of(v);
  map(v, [&](double x) { return 1 / std::sqrt(x + epsilon); });
  return {};
}
Result<void> eval_inverse(EvalView& v) {
  const double epsilon = epsilon_of(v);
  map(v, [&](double x) { return 1 / (x + epsilon); });
  return {};
}

constexpr Param kClip[] = {input("x"), fixed("alpha", kFloats, 'T'), fixed("beta", kFloats, 'T')};
Types infer_clip(const InferView& v) {
  const double alpha = v.number("alpha"), beta = v.number("beta");
  if (v.opset() >= Target::ios17 ? !(alpha < beta) : alpha > beta) {  // (C1) an interval; from iOS17 not a single point
    return v.wrong("alpha", fmt::format("{} is not below beta = {}", alpha, beta), "use maximum and minimum");
  }
  return same_as_x(v);
}
constexpr Form kClipForms[] = {{Target::ios15, kClip, infer_clip}};
Result<void> eval_clip(EvalView& v) {
  const double alpha = number_of(v, "alpha"), beta = number_of(v, "beta");
  map(v, [&](double x) { return x < alpha ? alpha : x > beta ? beta : x; });  // NaN stays NaN
  return {};
}

constexpr Param kThreshold[] = {input("x", kNumbers), fixed("alpha", kNumbers, 'T')};
constexpr Form kThresholdForms[] = {{Target::ios15, kThreshold, same_as_x}};
Result<void> eval_threshold(EvalView& v) {
  const double alpha = number_of(v, "alpha");
  map(v, [&](double x) { return x < alpha ? alpha : x; });
  return {};
}

constexpr OpDef kOps[] = {
    {.name = "abs", .summary = "|x|", .forms = kNumberForms, .eval = eval_map<absolute>, .traits = kElementwise},
    {.name = "square", .summary = "x²", .forms = kNumberForms, .eval = eval_map<square>, .traits = kElementwise},
    {.name = "sign", .summary = "−1, 0 or 1", .forms = kNumberForms, .eval = eval_map<sign>, .traits = kElementwise},
    {.name = "exp", .summary = "eˣ", .forms = kFloatForms, .eval = eval_map<std::exp>, .traits = kElementwise},
    {.name = "exp2", .summary = "2ˣ", .forms = kNumberForms, .eval = eval_map<std::exp2>, .traits = kElementwise},
    {.name = "erf",
     .summary = "the error function",
     .forms = kFloatForms,
     .eval = eval_map<std::erf>,
     .traits = kElementwise},
    {.name = "sqrt", .summary = "√x", .forms = kFloatForms, .eval = eval_map<std::sqrt>, .traits = kElementwise},
    {.name = "floor",
     .summary = "x rounded down",
     .forms = kFloatForms,
     .eval = eval_map<std::floor>,
     .traits = kElementwise},
    {.name = "ceil",
     .summary = "x rounded up",
     .forms = kFloatForms,
     .eval = eval_map<std::ceil>,
     .traits = kElementwise},
    {.name = "round",
     .summary = "x rounded, halves to even",
     .forms = kFloatForms,
     .eval = eval_map<round_half_even>,
     .traits = kElementwise},
    {.name = "sin", .summary = "sin x", .forms = kFloatForms, .eval = eval_map<std::sin>, .traits = kElementwise},
    {.name = "cos", .summary = "cos x", .forms = kFloatForms, .eval = eval_map<std::cos>, .traits = kElementwise},
    {.name = "tan", .summary = "tan x", .forms = kFloatForms, .eval = eval_map<std::tan>, .traits = kElementwise},
    {.name = "asin", .summary = "arcsin x", .forms = kFloatForms, .eval = eval_map<std::asin>, .traits = kElementwise},
    {.name = "acos", .summary = "arccos x", .forms = kFloatForms, .eval = eval_map<std::acos>, .traits = kElementwise},
    {.name = "atan", .summary = "arctan x", .forms = kFloatForms, .eval = eval_map<std::atan>, .traits = kElementwise},
    {.name = "atanh",
     .summary = "artanh x",
     .forms = kFloatForms,
     .eval = eval_map<std::atanh>,
     .traits = kElementwise},
    {.name = "sinh", .summary = "sinh x", .forms = kFloatForms, .eval = eval_map<std::sinh>, .traits = kElementwise},
    {.name = "cosh", .summary = "cosh x", .forms = kFloatForms, .eval = eval_map<std::cosh>, .traits = kElementwise},
    {.name = "log", .summary = "log(x + epsilon)", .forms = kLogForms, .eval = eval_log, .traits = kElementwise},
    {.name = "rsqrt",
     .summary = "1 / √(x + epsilon)",
     .forms = kRsqrtForms,
     .eval = eval_rsqrt,
     .traits = kElementwise},
    {.name = "inverse",
     .summary = "1 / (x + epsilon)",
     .forms = kInverseForms,
     .eval = eval_inverse,
     .traits = kElementwise},
    {.name = "clip",
     .summary = "min(max(x, alpha), beta)",
     .forms = kClipForms,
     .eval = eval_clip,
     .traits = kElementwise | kEpilogue},
    {.name = "threshold",
     .summary = "max(x, alpha)",
     .forms = kThresholdForms,
     .eval = eval_threshold,
     .traits = kElementwise},
    {.name = "logical_not",
     .summary = "not x",
     .forms = kLogicalForms,
     .eval = eval_map<logical_not>,
     .traits = kElementwise},
};

}  // namespace

std::span<const OpDef> elementwise_unary() { return kOps; }

}  // namespace anemone::ops
