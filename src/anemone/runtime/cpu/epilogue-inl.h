// The epilogue of a convolution or product, a vector at a time.
#if defined(ANEMONE_RUNTIME_CPU_EPILOGUE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ANEMONE_RUNTIME_CPU_EPILOGUE_INL_H_
#undef ANEMONE_RUNTIME_CPU_EPILOGUE_INL_H_
#else
#define ANEMONE_RUNTIME_CPU_EPILOGUE_INL_H_
#endif

#include <hwy/highway.h>

#include <cstdint>

#include "anemone/runtime/cpu/epilogue.h"
#include "anemone/runtime/cpu/half_round-inl.h"

HWY_BEFORE_NAMESPACE();
namespace anemone::cpu {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

template <class D, class V = hn::Vec<D>>
HWY_INLINE V Activate(D d, V x, const Epilogue& e) {
  switch (e.activation) {
    case Activation::none:
      return x;
    case Activation::relu:
      return hn::IfThenZeroElse(hn::Lt(x, hn::Zero(d)), x);
    case Activation::leaky_relu:
      return hn::IfThenElse(hn::Lt(x, hn::Zero(d)), hn::Mul(x, hn::Set(d, e.alpha)), x);
    case Activation::clip: {
      const V low = hn::Set(d, e.alpha), high = hn::Set(d, e.beta);
      const V raised = hn::IfThenElse(hn::Lt(x, low), low, x);
      return hn::IfThenElse(hn::Gt(raised, high), high, raised);
    }
  }
  return x;
}

/// out[j] = epilogue(sums[j], add[j]) for j < columns. `sums` is readable and writable up to whole vectors (`add` and
/// `out` are not), and destroyed.
template <class D>
HWY_INLINE void FinishRow(D d, float* sums, const float* add, float* out, std::int64_t columns, const Epilogue& e) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  HWY_ALIGN float edge[hn::MaxLanes(D())];
  for (std::int64_t j = 0; j < columns; j += lanes) {
    const bool partial = columns - j < lanes;
    auto x = hn::LoadU(d, sums + j);
    if (e.round_half) x = RoundToHalf(d, x);
    if (add) {
      const float* from = add + j;
      if (partial) {
        for (std::int64_t i = 0; i < lanes; ++i) edge[i] = i < columns - j ? add[j + i] : 0.0f;
        from = edge;
      }
      x = hn::Add(x, hn::LoadU(d, from));
      if (e.round_half) x = RoundToHalf(d, x);
    }
    x = Activate(d, x, e);
    if (e.round_half) x = RoundToHalf(d, x);
    if (!partial) {
      hn::StoreU(x, d, out + j);
    } else {
      hn::StoreU(x, d, sums + j);
      for (std::int64_t i = j; i < columns; ++i) out[i] = sums[i];
    }
  }
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace anemone::cpu
HWY_AFTER_NAMESPACE();

#endif
