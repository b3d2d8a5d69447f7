// Half-precision emulation over whole buffers.
#include "anemone/runtime/cpu/half_round.h"

#include <algorithm>

#include "anemone/runtime/cpu/highway_targets.h"
#include "anemone/support/half.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "anemone/runtime/cpu/half_round.cpp"
#include <hwy/foreach_target.h>  // must come before highway.h
//
#include <hwy/highway.h>

#include "anemone/runtime/cpu/half_round-inl.h"

HWY_BEFORE_NAMESPACE();
namespace anemone::cpu {
namespace HWY_NAMESPACE {
namespace {

using D = hn::CappedTag<float, 16>;

// How much of the span whole vectors cover; the rest is left to the scalar definition.
template <class Tag>
std::size_t NarrowVectors(Tag d, const float* in, std::uint16_t* out, std::size_t n) {
  std::size_t i = 0;
  if constexpr (kHardwareHalf) {
    const hn::Rebind<hwy::float16_t, Tag> dh;
    const hn::RebindToUnsigned<decltype(dh)> du;
    for (; i + hn::Lanes(d) <= n; i += hn::Lanes(d)) {
      hn::StoreU(hn::BitCast(du, hn::DemoteTo(dh, hn::LoadU(d, in + i))), du, out + i);
    }
  }
  return i;
}

template <class Tag>
std::size_t WidenVectors(Tag d, const std::uint16_t* in, float* out, std::size_t n) {
  std::size_t i = 0;
  if constexpr (kHardwareHalf) {
    const hn::Rebind<hwy::float16_t, Tag> dh;
    const hn::RebindToUnsigned<decltype(dh)> du;
    for (; i + hn::Lanes(d) <= n; i += hn::Lanes(d)) {
      const auto x = hn::PromoteTo(d, hn::BitCast(dh, hn::LoadU(du, in + i)));
      hn::StoreU(x, d, out + i);
      // Hardware sets the quiet bit of signaling NaNs, the definition keeps the bits.
      if (!hn::AllTrue(d, hn::Eq(x, x))) {
        for (std::size_t k = i; k < i + hn::Lanes(d); ++k) out[k] = anemone::float_from_half(in[k]);
      }
    }
  }
  return i;
}

}  // namespace

void RoundSpan(const float* in, float* out, std::size_t n) {
  const D d;
  std::size_t i = 0;
  for (; i + hn::Lanes(d) <= n; i += hn::Lanes(d)) hn::StoreU(RoundToHalf(d, hn::LoadU(d, in + i)), d, out + i);
  for (; i < n; ++i) out[i] = anemone::round_to_half(in[i]);
}

void NarrowSpan(const float* in, std::uint16_t* out, std::size_t n) {
  for (std::size_t i = NarrowVectors(D(), in, out, n); i < n; ++i) out[i] = anemone::half_from_float(in[i]);
}

void WidenSpan(const std::uint16_t* in, float* out, std::size_t n) {
  for (std::size_t i = WidenVectors(D(), in, out, n); i < n; ++i) out[i] = anemone::float_from_half(in[i]);
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace anemone::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace anemone::cpu {

HWY_EXPORT(RoundSpan);
HWY_EXPORT(NarrowSpan);
HWY_EXPORT(WidenSpan);

namespace {

template <class In, class Out>
void in_ranges(void (*convert)(const In*, Out*, std::size_t), const In* in, Out* out, std::size_t n,
               runtime::ThreadPool& pool) {
  constexpr std::int64_t kGrain = 32 * 1024;
  pool.parallel_ranges(static_cast<std::int64_t>(n), kGrain, [&](std::int64_t begin, std::int64_t end, int) {
    convert(in + begin, out + begin, static_cast<std::size_t>(end - begin));
  });
}

// The tables' first entries choose the target: call through small functions, not through a pointer read too early.
void round_span(const float* in, float* out, std::size_t n) { HWY_DYNAMIC_DISPATCH(RoundSpan)(in, out, n); }
void narrow_span(const float* in, std::uint16_t* out, std::size_t n) { HWY_DYNAMIC_DISPATCH(NarrowSpan)(in, out, n); }
void widen_span(const std::uint16_t* in, float* out, std::size_t n) { HWY_DYNAMIC_DISPATCH(WidenSpan)(in, out, n); }

}  // namespace

void round_to_half(float* data, std::size_t n, runtime::ThreadPool& pool) {
  in_ranges(round_span, data, data, n, pool);
}

void round_to_half(const float* in, float* out, std::size_t n, runtime::ThreadPool& pool) {
  in_ranges(round_span, in, out, n, pool);
}

void half_from_float(const float* in, std::uint16_t* out, std::size_t n, runtime::ThreadPool& pool) {
  in_ranges(narrow_span, in, out, n, pool);
}

void float_from_half(const std::uint16_t* in, float* out, std::size_t n, runtime::ThreadPool& pool) {
  in_ranges(widen_span, in, out, n, pool);
}

}  // namespace anemone::cpu
#endif
