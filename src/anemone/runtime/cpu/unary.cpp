// The unary ops of elementwise.h.
#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "anemone/runtime/cpu/elementwise.h"
#include "anemone/runtime/cpu/highway_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "anemone/runtime/cpu/unary.cpp"
#include <hwy/foreach_target.h>  // must come before highway.h
//
#include <hwy/highway.h>

#include "anemone/runtime/cpu/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace anemone::cpu {
namespace HWY_NAMESPACE {
namespace {

using D = hn::CappedTag<float, 16>;
using V = hn::Vec<D>;

template <Unary kOp>
HWY_INLINE V Compute(D d, V x, float alpha, float beta) {
  const V zero = hn::Zero(d), one = hn::Set(d, 1.0f), a = hn::Set(d, alpha), b = hn::Set(d, beta);
  if constexpr (kOp == Unary::identity) return x;
  if constexpr (kOp == Unary::relu) return hn::IfThenZeroElse(hn::Lt(x, zero), x);
  if constexpr (kOp == Unary::leaky_relu) return hn::IfThenElse(hn::Lt(x, zero), hn::Mul(x, a), x);
  if constexpr (kOp == Unary::clip) return AtMost(d, AtLeast(d, x, a), b);
  if constexpr (kOp == Unary::linear) return hn::MulAdd(x, a, b);
  if constexpr (kOp == Unary::sigmoid) return Sigmoid(d, x);
  if constexpr (kOp == Unary::tanh) return Tanh(d, x);
  if constexpr (kOp == Unary::exp) return Exp(d, x);
  if constexpr (kOp == Unary::silu) return hn::Mul(x, Sigmoid(d, x));
  if constexpr (kOp == Unary::gelu_tanh) {
    // x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3)))
    const V cubic = hn::MulAdd(hn::Mul(hn::Set(d, 0.044715f), hn::Mul(x, x)), x, x);
    const V t = Tanh(d, hn::Mul(hn::Set(d, 0.797884561f), cubic));
    return hn::Mul(hn::Mul(hn::Set(d, 0.5f), x), hn::Add(one, t));
  }
  if constexpr (kOp == Unary::gelu_sigmoid) return hn::Mul(x, Sigmoid(d, hn::Mul(hn::Set(d, 1.702f), x)));
  if constexpr (kOp == Unary::abs) return hn::Abs(x);
  if constexpr (kOp == Unary::square) return hn::Mul(x, x);
  if constexpr (kOp == Unary::sqrt) return hn::Sqrt(x);
  if constexpr (kOp == Unary::rsqrt) return hn::Div(one, hn::Sqrt(hn::Add(x, a)));
  if constexpr (kOp == Unary::inverse) return hn::Div(one, hn::Add(x, a));
  if constexpr (kOp == Unary::sign) {
    const V signed_one = hn::CopySign(one, x);
    return hn::IfThenElse(hn::Or(hn::Lt(x, zero), hn::Gt(x, zero)), signed_one, x);  // 0 and NaN stay
  }
  if constexpr (kOp == Unary::floor) return hn::Floor(x);
  if constexpr (kOp == Unary::ceil) return hn::Ceil(x);
  if constexpr (kOp == Unary::round) return hn::Round(x);
  if constexpr (kOp == Unary::threshold) return AtLeast(d, x, a);
  if constexpr (kOp == Unary::thresholded_relu) return hn::IfThenZeroElse(hn::Lt(x, a), x);
  if constexpr (kOp == Unary::clamped_relu) {
    return AtMost(d, hn::IfThenElse(hn::Lt(x, zero), hn::Mul(x, a), x), b);
  }
  if constexpr (kOp == Unary::sigmoid_hard) return AtMost(d, AtLeast(d, hn::MulAdd(x, a, b), zero), one);
  if constexpr (kOp == Unary::softsign) return hn::Div(x, hn::Add(one, hn::Abs(x)));
  if constexpr (kOp == Unary::elu) return hn::IfThenElse(hn::Gt(x, zero), x, hn::Mul(a, ExpMinus1(d, x)));
  if constexpr (kOp == Unary::scaled_tanh) return hn::Mul(a, Tanh(d, hn::Mul(b, x)));
  if constexpr (kOp == Unary::logical_not) return hn::IfThenElseZero(hn::Eq(x, zero), one);
}

template <Unary kOp>
void Run(const float* in, float* out, std::int64_t n, float alpha, float beta) {
  const D d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(Compute<kOp>(d, hn::LoadU(d, in + i), alpha, beta), d, out + i);
  if (i == n) return;
  HWY_ALIGN float edge[hn::MaxLanes(D())] = {};
  std::copy(in + i, in + n, edge);
  hn::Store(Compute<kOp>(d, hn::Load(d, edge), alpha, beta), d, edge);
  std::copy(edge, edge + (n - i), out + i);
}

// The enumeration begins with those that have vectors.
constexpr auto kVectorisedUnaries = static_cast<std::size_t>(Unary::gelu);
using RunFunction = void (*)(const float*, float*, std::int64_t, float, float);

// Entry k runs the function with that number.
template <std::size_t... kOps>
constexpr std::array<RunFunction, sizeof...(kOps)> RunsOf(std::index_sequence<kOps...>) {
  return {Run<static_cast<Unary>(kOps)>...};
}

}  // namespace

// False: not one of the vectorised ops.
bool UnaryVectors(Unary op, const float* in, float* out, std::int64_t n, float alpha, float beta) {
  static constexpr auto kRuns = RunsOf(std::make_index_sequence<kVectorisedUnaries>());
  const auto index = static_cast<std::size_t>(op);
  if (index >= kRuns.size()) return false;
  kRuns[index](in, out, n, alpha, beta);
  return true;
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace anemone::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace anemone::cpu {

HWY_EXPORT(UnaryVectors);

namespace {

template <class Fn>
void each(const float* in, float* out, std::int64_t n, Fn fn) {
  for (std::int64_t i = 0; i < n; ++i) out[i] = fn(in[i]);
}

void unary_scalars(Unary op, const float* in, float* out, std::int64_t n, float alpha) {
  switch (op) {
    case Unary::gelu:  // x / 2 * (1 + erf(x / sqrt 2)); erfc keeps the small values of the negative side
      return each(in, out, n, [](float x) { return 0.5f * x * std::erfc(-0.707106781f * x); });
    case Unary::erf:
      return each(in, out, n, [](float x) { return std::erf(x); });
    case Unary::log:
      return each(in, out, n, [alpha](float x) { return std::log(x + alpha); });
    case Unary::exp2:
      return each(in, out, n, [](float x) { return std::exp2(x); });
    case Unary::softplus:  // log(1 + exp x) without overflow
      return each(in, out, n, [](float x) { return std::log1p(std::exp(-std::fabs(x))) + (x < 0 ? 0.0f : x); });
    case Unary::sin:
      return each(in, out, n, [](float x) { return std::sin(x); });
    case Unary::cos:
      return each(in, out, n, [](float x) { return std::cos(x); });
    case Unary::tan:
      return each(in, out, n, [](float x) { return std::tan(x); });
    case Unary::asin:
      return each(in, out, n, [](float x) { return std::asin(x); });
    case Unary::acos:
      return each(in, out, n, [](float x) { return std::acos(x); });
    case Unary::atan:
      return each(in, out, n, [](float x) { return std::atan(x); });
    case Unary::sinh:
      return each(in, out, n, [](float x) { return std::sinh(x); });
    case Unary::cosh:
      return each(in, out, n, [](float x) { return std::cosh(x); });
    case Unary::atanh:
      return each(in, out, n, [](float x) { return std::atanh(x); });
    default:
      return;  // the others are vectorised
  }
}

}  // namespace

void unary(Unary op, const float* in, float* out, std::int64_t n, runtime::ThreadPool& pool, float alpha, float beta) {
  // A task is worth handing over from some microseconds of work on.
  constexpr std::int64_t kGrain = 8 * 1024;
  pool.parallel_ranges(n, kGrain, [&](std::int64_t begin, std::int64_t end, int) {
    if (!HWY_DYNAMIC_DISPATCH(UnaryVectors)(op, in + begin, out + begin, end - begin, alpha, beta)) {
      unary_scalars(op, in + begin, out + begin, end - begin, alpha);
    }
  });
}

}  // namespace anemone::cpu
#endif
