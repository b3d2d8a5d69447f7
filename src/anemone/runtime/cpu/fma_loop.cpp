// Sixteen registers are the fewest that any target has: twelve sums, two factors.
#include "anemone/runtime/cpu/fma_loop.h"

#include "anemone/runtime/cpu/highway_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "anemone/runtime/cpu/fma_loop.cpp"
#include <hwy/foreach_target.h>  // must come before highway.h
//
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace anemone::cpu {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

double FmaLoop(std::int64_t rounds, float* out) {
  const hn::CappedTag<float, 16> d;
  const auto a = hn::Set(d, 0.999f), b = hn::Set(d, 0.001f);  // the sums stay near 1
  auto s0 = hn::Set(d, 1.0f), s1 = hn::Set(d, 1.1f), s2 = hn::Set(d, 1.2f), s3 = hn::Set(d, 1.3f);
  auto s4 = hn::Set(d, 1.4f), s5 = hn::Set(d, 1.5f), s6 = hn::Set(d, 1.6f), s7 = hn::Set(d, 1.7f);
  auto s8 = hn::Set(d, 1.8f), s9 = hn::Set(d, 1.9f), s10 = hn::Set(d, 2.0f), s11 = hn::Set(d, 2.1f);
  for (std::int64_t i = 0; i < rounds; ++i) {
    s0 = hn::MulAdd(s0, a, b);
    s1 = hn::MulAdd(s1, a, b);
    s2 = hn::MulAdd(s2, a, b);
    s3 = hn::MulAdd(s3, a, b);
    s4 = hn::MulAdd(s4, a, b);
    s5 = hn::MulAdd(s5, a, b);
    s6 = hn::MulAdd(s6, a, b);
    s7 = hn::MulAdd(s7, a, b);
    s8 = hn::MulAdd(s8, a, b);
    s9 = hn::MulAdd(s9, a, b);
    s10 = hn::MulAdd(s10, a, b);
    s11 = hn::MulAdd(s11, a, b);
  }
  s0 = hn::Add(hn::Add(hn::Add(s0, s1), hn::Add(s2, s3)), hn::Add(hn::Add(s4, s5), hn::Add(s6, s7)));
  s8 = hn::Add(hn::Add(s8, s9), hn::Add(s10, s11));
  *out = hn::GetLane(hn::SumOfLanes(d, hn::Add(s0, s8)));
  return static_cast<double>(rounds) * 12 * 2 * static_cast<double>(hn::Lanes(d));
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace anemone::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace anemone::cpu {

HWY_EXPORT(FmaLoop);

double fma_loop(std::int64_t rounds, float* out) { return HWY_DYNAMIC_DISPATCH(FmaLoop)(rounds, out); }

}  // namespace anemone::cpu
#endif
