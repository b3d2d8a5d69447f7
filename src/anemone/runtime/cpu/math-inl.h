// exp and its relatives on vectors of floats. Own polynomials: Highway's contributed ones are less exact at the ends.
#if defined(ANEMONE_RUNTIME_CPU_MATH_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ANEMONE_RUNTIME_CPU_MATH_INL_H_
#undef ANEMONE_RUNTIME_CPU_MATH_INL_H_
#else
#define ANEMONE_RUNTIME_CPU_MATH_INL_H_
#endif

#include <hwy/highway.h>

#include <cstdint>

HWY_BEFORE_NAMESPACE();
namespace anemone::cpu {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// x < limit ? limit : x and its mirror image; NaN passes, as it does not through Min and Max on every target.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V AtLeast(D, V x, V limit) {
  return hn::IfThenElse(hn::Lt(x, limit), limit, x);
}
template <class D, class V = hn::Vec<D>>
HWY_INLINE V AtMost(D, V x, V limit) {
  return hn::IfThenElse(hn::Gt(x, limit), limit, x);
}

/// x = n * ln 2 + r with |r| <= ln 2 / 2.
template <class D>
struct Reduced {
  hn::Vec<D> r;
  hn::Vec<hn::RebindToSigned<D>> n;
};

template <class D, class V = hn::Vec<D>>
HWY_INLINE Reduced<D> ReduceByLn2(D d, V x) {
  const hn::RebindToSigned<D> di;
  // Adding 1.5 * 2^23 rounds to the nearest integer and leaves it in the low bits of the mantissa.
  const V magic = hn::Set(d, 12582912.0f);
  const V shifted = hn::MulAdd(x, hn::Set(d, 1.44269504f), magic);
  const V n = hn::Sub(shifted, magic);
  // ln 2 in two parts; the first has 9 significant bits, so its product with n is exact.
  V r = hn::NegMulAdd(n, hn::Set(d, 0.693359375f), x);
  r = hn::NegMulAdd(n, hn::Set(d, -2.12194440e-4f), r);
  return {r, hn::Sub(hn::BitCast(di, shifted), hn::BitCast(di, magic))};
}

/// exp(r) - 1 for |r| <= ln 2 / 2: the Taylor series, whose first term left out is below 2^-27.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V ExpMinus1Near0(D d, V r) {
  V q = hn::Set(d, 1.0f / 5040);
  q = hn::MulAdd(q, r, hn::Set(d, 1.0f / 720));
  q = hn::MulAdd(q, r, hn::Set(d, 1.0f / 120));
  q = hn::MulAdd(q, r, hn::Set(d, 1.0f / 24));
  q = hn::MulAdd(q, r, hn::Set(d, 1.0f / 6));
  q = hn::MulAdd(q, r, hn::Set(d, 0.5f));
  return hn::MulAdd(hn::Mul(q, r), r, r);
}

/// 2^n for -126 <= n <= 127.
template <class D, class VI>
HWY_INLINE hn::Vec<D> PowerOf2(D d, VI n) {
  const hn::RebindToSigned<D> di;
  return hn::BitCast(d, hn::ShiftLeft<23>(hn::Add(n, hn::Set(di, 127))));
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V Exp(D d, V x) {
  // Beyond these the result is infinity or rounds to 0.
  x = AtMost(d, AtLeast(d, x, hn::Set(d, -104.0f)), hn::Set(d, 89.0f));
  const Reduced<D> reduced = ReduceByLn2(d, x);
  const V y = hn::Add(ExpMinus1Near0(d, reduced.r), hn::Set(d, 1.0f));
  // In two steps: 2^n itself may lie outside the floats. Only the second can round (subnormal results).
  const auto half = hn::ShiftRight<1>(reduced.n);
  return hn::Mul(hn::Mul(y, PowerOf2(d, half)), PowerOf2(d, hn::Sub(reduced.n, half)));
}

/// exp(x) - 1, exact near 0. For x <= 80.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V ExpMinus1(D d, V x) {
  x = AtMost(d, AtLeast(d, x, hn::Set(d, -30.0f)), hn::Set(d, 80.0f));
  const Reduced<D> reduced = ReduceByLn2(d, x);
  const V scale = PowerOf2(d, reduced.n);
  return hn::MulAdd(scale, ExpMinus1Near0(d, reduced.r), hn::Sub(scale, hn::Set(d, 1.0f)));
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V Sigmoid(D d, V x) {
  const V one = hn::Set(d, 1.0f);
  return hn::Div(one, hn::Add(one, Exp(d, hn::Neg(x))));
}

/// With e = exp(2|x|) - 1 it is e / (e + 2), without cancellation.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Tanh(D d, V x) {
  const V magnitude = AtMost(d, hn::Abs(x), hn::Set(d, 20.0f));
  const V e = ExpMinus1(d, hn::Add(magnitude, magnitude));
  return hn::CopySign(hn::Div(e, hn::Add(e, hn::Set(d, 2.0f))), x);
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace anemone::cpu
HWY_AFTER_NAMESPACE();

#endif
