// Copying stretches of an image row, strided and through a prologue: what fills im2col tiles and padded rows.
#if defined(ANEMONE_RUNTIME_CPU_COPY_ROW_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ANEMONE_RUNTIME_CPU_COPY_ROW_INL_H_
#undef ANEMONE_RUNTIME_CPU_COPY_ROW_INL_H_
#else
#define ANEMONE_RUNTIME_CPU_COPY_ROW_INL_H_
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cstdint>

#include "anemone/runtime/cpu/epilogue.h"

HWY_BEFORE_NAMESPACE();
namespace anemone::cpu {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// What a prologue does to the values of one channel.
struct Affine {
  bool on = false, relu = false;
  float scale = 1, shift = 0;
};

HWY_INLINE Affine AffineOf(const Prologue& prologue, std::int64_t channel) {
  if (!prologue.scale) return {};
  return {true, prologue.relu, prologue.scale[channel], prologue.shift[channel]};
}

template <class Tag>
HWY_INLINE hn::Vec<Tag> Apply(Tag d, hn::Vec<Tag> x, const Affine& affine) {
  x = hn::MulAdd(x, hn::Set(d, affine.scale), hn::Set(d, affine.shift));
  return affine.relu ? hn::IfThenZeroElse(hn::Lt(x, hn::Zero(d)), x) : x;
}

// to[i] = from[i * kStride], from i on, whole vectors of Tag; returns where it stopped.
template <int kStride, bool kAffine, class Tag>
HWY_INLINE std::int64_t CopyVectors(Tag d, const float* HWY_RESTRICT from, float* HWY_RESTRICT to, std::int64_t i,
                                    std::int64_t count, const Affine& affine) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  // The interleaved load reads one float beyond the last it needs: not at the end.
  for (; i + lanes + (kStride - 1) <= count; i += lanes) {
    hn::Vec<Tag> x, between;
    if constexpr (kStride == 1) {
      x = hn::LoadU(d, from + i);
    } else {
      hn::LoadInterleaved2(d, from + 2 * i, x, between);
    }
    if constexpr (kAffine) x = Apply(d, x, affine);
    hn::StoreU(x, d, to + i);
  }
  return i;
}

template <int kStride, bool kAffine>
HWY_INLINE void CopyRowAs(const float* from, std::int64_t stride, float* to, std::int64_t count, const Affine& affine) {
  std::int64_t i = 0;
  if constexpr (kStride != 0) {
    i = CopyVectors<kStride, kAffine>(hn::CappedTag<float, 16>(), from, to, i, count, affine);
    i = CopyVectors<kStride, kAffine>(hn::CappedTag<float, 4>(), from, to, i, count, affine);
  }
  const hn::CappedTag<float, 1> d1;
  for (; i < count; ++i) {
    auto x = hn::Set(d1, from[i * stride]);
    if constexpr (kAffine) x = Apply(d1, x, affine);
    hn::Store(x, d1, to + i);
  }
}

/// to[i] = affine(from[i * stride]), i < count. Reads nothing else.
HWY_INLINE void CopyRow(const float* from, std::int64_t stride, float* to, std::int64_t count, const Affine& affine) {
  if (affine.on) {
    if (stride == 1) return CopyRowAs<1, true>(from, stride, to, count, affine);
    if (stride == 2) return CopyRowAs<2, true>(from, stride, to, count, affine);
    return CopyRowAs<0, true>(from, stride, to, count, affine);
  }
  if (stride == 1) return CopyRowAs<1, false>(from, stride, to, count, affine);
  if (stride == 2) return CopyRowAs<2, false>(from, stride, to, count, affine);
  return CopyRowAs<0, false>(from, stride, to, count, affine);
}

/// A row of an image, padded and sorted by the remainder of its columns: phase j of `to` holds padded[i * stride + j]
/// for i < length. A window sliding by `stride` then reads consecutive floats whichever of its columns is meant.
struct RowPhases {
  std::int64_t stride = 1, pad_left = 0, length = 0;
  float fill = 0;

  std::int64_t size() const { return stride * length; }
  /// Where column `k` of the window at output column 0 lies; output column x is x floats further.
  std::int64_t offset(std::int64_t k) const { return k % stride * length + k / stride; }
};

HWY_INLINE void SplitRow(const RowPhases& phases, const float* from, std::int64_t width, float* to,
                         const Affine& affine) {
  for (std::int64_t phase = 0; phase < phases.stride; ++phase, to += phases.length) {
    const std::int64_t x = phase - phases.pad_left;  // the input column of i = 0
    const std::int64_t first = x >= 0 ? 0 : (-x + phases.stride - 1) / phases.stride;
    const std::int64_t last = x >= width ? 0 : (width - x + phases.stride - 1) / phases.stride;
    const std::int64_t begin = std::min(first, phases.length);
    const std::int64_t end = std::max(begin, std::min(last, phases.length));
    for (std::int64_t i = 0; i < begin; ++i) to[i] = phases.fill;
    if (end > begin) CopyRow(from + x + begin * phases.stride, phases.stride, to + begin, end - begin, affine);
    for (std::int64_t i = end; i < phases.length; ++i) to[i] = phases.fill;
  }
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace anemone::cpu
HWY_AFTER_NAMESPACE();

#endif
