// Rounding a vector of floats to half precision, on every target.
#if defined(ANEMONE_RUNTIME_CPU_HALF_ROUND_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ANEMONE_RUNTIME_CPU_HALF_ROUND_INL_H_
#undef ANEMONE_RUNTIME_CPU_HALF_ROUND_INL_H_
#else
#define ANEMONE_RUNTIME_CPU_HALF_ROUND_INL_H_
#endif

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace anemone::cpu {
namespace HWY_NAMESPACE {

// Highway's half conversions are right where the hardware converts (F16C comes with the AVX2 target), and wrong in
// Debian's 1.0.3 everywhere else: truncation, mangled infinities.
constexpr bool kHardwareHalf = (HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2) || HWY_ARCH_ARM_A64;

namespace hn = hwy::HWY_NAMESPACE;

/// The nearest half of each lane, as float; the same bits as anemone::round_to_half.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V RoundToHalf(D d, V v) {
  if constexpr (kHardwareHalf) {
    const hn::Rebind<hwy::float16_t, D> dh;
    return hn::PromoteTo(d, hn::DemoteTo(dh, v));
  }
  const hn::RebindToUnsigned<D> du;
  const auto bits = hn::BitCast(du, v);
  const auto magnitude = hn::And(bits, hn::Set(du, 0x7fffffffu));
  const auto sign = hn::Xor(bits, magnitude);
  // Normal results: round away 13 bits of the mantissa. 65520 and more end at 65536 or above: infinity.
  const auto odd = hn::And(hn::ShiftRight<13>(magnitude), hn::Set(du, 1u));
  const auto rounded = hn::And(hn::Add(hn::Add(magnitude, hn::Set(du, 0x0fffu)), odd), hn::Set(du, 0xffffe000u));
  const auto infinity = hn::Set(du, 0x7f800000u);
  const auto normal = hn::IfThenElse(hn::Gt(rounded, hn::Set(du, 0x477fffffu)), infinity, rounded);
  // Subnormal results: their unit 2^-24 is that of floats in [0.5, 1), so the adder rounds.
  const auto half = hn::Set(d, 0.5f);
  const auto subnormal = hn::BitCast(du, hn::Sub(hn::Add(hn::BitCast(d, magnitude), half), half));
  const auto nan = hn::Or(hn::Set(du, 0x7fc00000u), hn::And(magnitude, hn::Set(du, 0x007fe000u)));
  auto result = hn::IfThenElse(hn::Lt(magnitude, hn::Set(du, 0x38800000u)), subnormal, normal);
  result = hn::IfThenElse(hn::Gt(magnitude, infinity), nan, result);
  return hn::BitCast(d, hn::Or(result, sign));
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace anemone::cpu
HWY_AFTER_NAMESPACE();

#endif
