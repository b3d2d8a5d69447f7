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
constexpr Param kLog15[] = {input("x"), option("epsilon", kFloats, 'T', "1e-45")};
constexpr Param kLog17[] = {input("x"), option("epsilon", kFloats, 'U', "1e-45")};
constexpr Param kRsqrt15[] = {input("x"), option("epsilon", kFloats, 'T', "1e-12")};
constexpr Param kRsqrt17[] = {input("x"), option("epsilon", kFloats, 'U', "1e-12")};
constexpr Param kInverse15[] = {input("x"), option("epsilon", kFloats, 'T', "1e-4")};
constexpr Param kInverse17[] = {input("x"), option("epsilon", kFloats, 'U', "1e-4")};
constexpr Form kLogForms[] = {{Target::ios15, kLog15, same_as_x}, {Target::ios17, kLog17, same_as_x}};
constexpr Form kRsqrtForms[] = {{Target::ios15, kRsqrt15, same_as_x}, {Target::ios17, kRsqrt17, same_as_x}};
constexpr Form kInverseForms[] = {{Target::ios15, kInverse15, same_as_x}, {Target::ios17, kInverse17, same_as_x}};

Result<void> eval_log(EvalView& v) {
  const double epsilon = number_of(v, "epsilon", rounded(1e-45, v.in("x").dtype));
  map(v, [&](double x) { return std::log(x + epsilon); });
  return {};
}
Result<void> eval_rsqrt(EvalView& v) {
  const double epsilon = number_of(v, "epsilon", rounded(1e-12, v.in("x").dtype));
  map(v, [&](double x) { return 1 / std::sqrt(x + epsilon); });
  return {};
}
Result<void> eval_inverse(EvalView& v) {
  const double epsilon = number_of(v, "epsilon", rounded(1e-4, v.in("x").dtype));
  map(v, [&](double x) { return 1 / (x + epsilon); });
  return {};
}

constexpr Param kClip[] = {input("x"), fixed("alpha", kFloats, 'T'), fixed("beta", kFloats, 'T')};
Types infer_clip(const InferView& v) {
  const double alpha = v.number("alpha", 0), beta = v.number("beta", 0);
  if (v.opset() >= Target::ios17 ? !(alpha < beta) : alpha > beta) {  // (C1) an interval; from iOS17 not a single point
    return v.wrong("alpha", fmt::format("{} is not below beta = {}", alpha, beta), "use maximum and minimum");
  }
  return same_as_x(v);
}
constexpr Form kClipForms[] = {{Target::ios15, kClip, infer_clip}};
Result<void> eval_clip(EvalView& v) {
  const double alpha = number_of(v, "alpha", 0), beta = number_of(v, "beta", 0);
  map(v, [&](double x) { return x < alpha ? alpha : x > beta ? beta : x; });  // NaN stays NaN
  return {};
}

constexpr Param kThreshold[] = {input("x", kNumbers), fixed("alpha", kNumbers, 'T')};
constexpr Form kThresholdForms[] = {{Target::ios15, kThreshold, same_as_x}};
Result<void> eval_threshold(EvalView& v) {
  const double alpha = number_of(v, "alpha", 0);
  map(v, [&](double x) { return x < alpha ? alpha : x; });
  return {};
}

constexpr OpDef kOps[] = {
    {"abs", "|x|", kNumberForms, eval_map<absolute>, nullptr, kElementwise},
    {"square", "x²", kNumberForms, eval_map<square>, nullptr, kElementwise},
    {"sign", "−1, 0 or 1", kNumberForms, eval_map<sign>, nullptr, kElementwise},
    {"exp", "eˣ", kFloatForms, eval_map<std::exp>, nullptr, kElementwise},
    {"exp2", "2ˣ", kNumberForms, eval_map<std::exp2>, nullptr, kElementwise},
    {"erf", "the error function", kFloatForms, eval_map<std::erf>, nullptr, kElementwise},
    {"sqrt", "√x", kFloatForms, eval_map<std::sqrt>, nullptr, kElementwise},
    {"floor", "x rounded down", kFloatForms, eval_map<std::floor>, nullptr, kElementwise},
    {"ceil", "x rounded up", kFloatForms, eval_map<std::ceil>, nullptr, kElementwise},
    {"round", "x rounded, halves to even", kFloatForms, eval_map<round_half_even>, nullptr, kElementwise},
    {"sin", "sin x", kFloatForms, eval_map<std::sin>, nullptr, kElementwise},
    {"cos", "cos x", kFloatForms, eval_map<std::cos>, nullptr, kElementwise},
    {"tan", "tan x", kFloatForms, eval_map<std::tan>, nullptr, kElementwise},
    {"asin", "arcsin x", kFloatForms, eval_map<std::asin>, nullptr, kElementwise},
    {"acos", "arccos x", kFloatForms, eval_map<std::acos>, nullptr, kElementwise},
    {"atan", "arctan x", kFloatForms, eval_map<std::atan>, nullptr, kElementwise},
    {"atanh", "artanh x", kFloatForms, eval_map<std::atanh>, nullptr, kElementwise},
    {"sinh", "sinh x", kFloatForms, eval_map<std::sinh>, nullptr, kElementwise},
    {"cosh", "cosh x", kFloatForms, eval_map<std::cosh>, nullptr, kElementwise},
    {"log", "log(x + epsilon)", kLogForms, eval_log, nullptr, kElementwise},
    {"rsqrt", "1 / √(x + epsilon)", kRsqrtForms, eval_rsqrt, nullptr, kElementwise},
    {"inverse", "1 / (x + epsilon)", kInverseForms, eval_inverse, nullptr, kElementwise},
    {"clip", "min(max(x, alpha), beta)", kClipForms, eval_clip, nullptr, kElementwise},
    {"threshold", "max(x, alpha)", kThresholdForms, eval_threshold, nullptr, kElementwise},
    {"logical_not", "not x", kLogicalForms, eval_map<logical_not>, nullptr, kElementwise},
};

}  // namespace

std::span<const OpDef> elementwise_unary() { return kOps; }

}  // namespace anemone::ops
