// Normalisations and softmax: statistics in short float sums added in double, then one pass of vectors.
#include "anemone/runtime/cpu/norm.h"

#include <algorithm>
#include <cmath>

#include "anemone/runtime/cpu/highway_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "anemone/runtime/cpu/norm.cpp"
#include <hwy/foreach_target.h>  // must come before highway.h
//
#include <hwy/highway.h>

#include "anemone/runtime/cpu/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace anemone::cpu {
namespace HWY_NAMESPACE {
namespace {

using D = hn::CappedTag<float, 16>;
using D1 = hn::CappedTag<float, 1>;
using V = hn::Vec<D>;

// Sums of float vectors are kept short and then added in double: one pass costs nothing against memory, and the error
// does not grow with the size of the map.
constexpr std::int64_t kShort = 64;  // terms of one float chain

struct Sums {
  double first = 0, second = 0;  // of d and d * d, d = x - offset
};

Sums SumsOf(const float* x, std::int64_t n, float offset) {
  const D d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const V shift = hn::Set(d, offset);
  Sums total;
  std::int64_t i = 0;
  while (i + lanes <= n) {
    V first0 = hn::Zero(d), first1 = first0, second0 = first0, second1 = first0;
    const std::int64_t end = std::min(n, i + 2 * kShort * lanes);
    for (; i + 2 * lanes <= end; i += 2 * lanes) {
      const V a = hn::Sub(hn::LoadU(d, x + i), shift), b = hn::Sub(hn::LoadU(d, x + i + lanes), shift);
      first0 = hn::Add(first0, a);
      first1 = hn::Add(first1, b);
      second0 = hn::MulAdd(a, a, second0);
      second1 = hn::MulAdd(b, b, second1);
    }
    if (i + lanes <= end) {
      const V a = hn::Sub(hn::LoadU(d, x + i), shift);
      first0 = hn::Add(first0, a);
      second0 = hn::MulAdd(a, a, second0);
      i += lanes;
    }
    total.first += static_cast<double>(hn::GetLane(hn::SumOfLanes(d, hn::Add(first0, first1))));
    total.second += static_cast<double>(hn::GetLane(hn::SumOfLanes(d, hn::Add(second0, second1))));
  }
  for (; i < n; ++i) {
    const double a = static_cast<double>(x[i]) - static_cast<double>(offset);
    total.first += a;
    total.second += a * a;
  }
  return total;
}

struct Moments {
  float center;           // near the mean
  double mean, variance;  // the mean, counted from the center, and the variance
};

// The first pass need only come near the mean: around it, the second one's sums are small and lose nothing.
Moments MomentsOf(const float* x, std::int64_t n) {
  const auto count = static_cast<double>(n);
  Moments m{};
  m.center = static_cast<float>(SumsOf(x, n, 0.0f).first / count);
  const Sums around = SumsOf(x, n, m.center);
  m.mean = around.first / count;
  m.variance = std::max(0.0, around.second / count - m.mean * m.mean);
  return m;
}

// (x - center) * scale + shift, then relu.
template <class Tag>
HWY_INLINE std::int64_t Normalise(Tag d, const float* in, float* out, std::int64_t i, std::int64_t n, float center,
                                  float scale, float shift, bool relu) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto c = hn::Set(d, center), a = hn::Set(d, scale), b = hn::Set(d, shift), zero = hn::Zero(d);
  for (; i + lanes <= n; i += lanes) {
    const auto x = hn::MulAdd(hn::Sub(hn::LoadU(d, in + i), c), a, b);
    hn::StoreU(relu ? hn::IfThenZeroElse(hn::Lt(x, zero), x) : x, d, out + i);
  }
  return i;
}

template <class Tag>
HWY_INLINE hn::Vec<Tag> LoadOr(Tag d, const float* from, std::int64_t i, float otherwise) {
  return from ? hn::LoadU(d, from + i) : hn::Set(d, otherwise);
}

template <class Tag>
HWY_INLINE std::int64_t NormaliseRow(Tag d, const float* in, float* out, std::int64_t i, std::int64_t n, float center,
                                     float scale, float shift, const float* gamma, const float* beta) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto c = hn::Set(d, center), a = hn::Set(d, scale), b = hn::Set(d, shift);
  for (; i + lanes <= n; i += lanes) {
    const auto x = hn::MulAdd(hn::Sub(hn::LoadU(d, in + i), c), a, b);
    hn::StoreU(hn::MulAdd(x, LoadOr(d, gamma, i, 1.0f), LoadOr(d, beta, i, 0.0f)), d, out + i);
  }
  return i;
}

// Of n >= 1 elements; NaN may or may not be seen, the sum of exponentials will see it.
float Largest(const float* x, std::int64_t n) {
  const D d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  float top = x[0];
  std::int64_t i = 0;
  if (n >= lanes) {
    V tops = hn::LoadU(d, x);
    for (i = lanes; i + lanes <= n; i += lanes) tops = hn::Max(tops, hn::LoadU(d, x + i));
    top = hn::GetLane(hn::MaxOfLanes(d, tops));
  }
  for (; i < n; ++i) top = x[i] > top ? x[i] : top;
  return top;
}

// out[i] = exp(in[i] - top), whole vectors from i on; returns where it stopped.
template <class Tag>
HWY_INLINE std::int64_t ExpRow(Tag d, const float* in, float* out, std::int64_t i, std::int64_t n, float top) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto t = hn::Set(d, top);
  for (; i + lanes <= n; i += lanes) hn::StoreU(Exp(d, hn::Sub(hn::LoadU(d, in + i), t)), d, out + i);
  return i;
}

// Softmax down `axis` rows of `stride` floats, for as many columns as Tag has lanes.
template <class Tag>
HWY_INLINE void SoftmaxColumns(Tag d, const float* in, float* out, std::int64_t axis, std::int64_t stride) {
  auto top = hn::LoadU(d, in);
  for (std::int64_t k = 1; k < axis; ++k) top = hn::Max(top, hn::LoadU(d, in + k * stride));
  HWY_ALIGN float part[hn::MaxLanes(Tag())];
  double total[hn::MaxLanes(Tag())] = {};
  for (std::int64_t k = 0; k < axis;) {
    auto sum = hn::Zero(d);
    for (const std::int64_t end = std::min(axis, k + kShort); k < end; ++k) {
      const auto e = Exp(d, hn::Sub(hn::LoadU(d, in + k * stride), top));
      hn::StoreU(e, d, out + k * stride);
      sum = hn::Add(sum, e);
    }
    hn::Store(sum, d, part);
    for (std::size_t l = 0; l < hn::Lanes(d); ++l) total[l] += static_cast<double>(part[l]);
  }
  for (std::size_t l = 0; l < hn::Lanes(d); ++l) part[l] = static_cast<float>(1 / total[l]);
  const auto scale = hn::Load(d, part);
  for (std::int64_t k = 0; k < axis; ++k) {
    hn::StoreU(hn::Mul(hn::LoadU(d, out + k * stride), scale), d, out + k * stride);
  }
}

}  // namespace

void InstanceNormPlane(const float* in, float* out, std::int64_t n, double gamma, double beta, double epsilon,
                       bool relu) {
  const Moments m = MomentsOf(in, n);
  const double scale = gamma / std::sqrt(m.variance + epsilon);
  const double shift = beta - m.mean * scale;
  const auto a = static_cast<float>(scale), b = static_cast<float>(shift);
  const std::int64_t i = Normalise(D(), in, out, 0, n, m.center, a, b, relu);
  Normalise(D1(), in, out, i, n, m.center, a, b, relu);
}

void LayerNormRow(const float* in, float* out, std::int64_t n, const float* gamma, const float* beta, double epsilon) {
  const Moments m = MomentsOf(in, n);
  const double scale = 1 / std::sqrt(m.variance + epsilon);
  const auto a = static_cast<float>(scale), b = static_cast<float>(-m.mean * scale);
  const std::int64_t i = NormaliseRow(D(), in, out, 0, n, m.center, a, b, gamma, beta);
  NormaliseRow(D1(), in, out, i, n, m.center, a, b, gamma, beta);
}

void SoftmaxRow(const float* in, float* out, std::int64_t n) {
  const float top = Largest(in, n);
  std::int64_t i = ExpRow(D(), in, out, 0, n, top);
  ExpRow(D1(), in, out, i, n, top);
  const auto scale = static_cast<float>(1 / SumsOf(out, n, 0.0f).first);
  i = Normalise(D(), out, out, 0, n, 0.0f, scale, 0.0f, false);
  Normalise(D1(), out, out, i, n, 0.0f, scale, 0.0f, false);
}

// Columns [begin, end) of one [axis, inner] block.
void SoftmaxBlock(const float* in, float* out, std::int64_t axis, std::int64_t inner, std::int64_t begin,
                  std::int64_t end) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(D()));
  std::int64_t i = begin;
  for (; i + lanes <= end; i += lanes) SoftmaxColumns(D(), in + i, out + i, axis, inner);
  for (; i < end; ++i) SoftmaxColumns(D1(), in + i, out + i, axis, inner);
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace anemone::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace anemone::cpu {

HWY_EXPORT(InstanceNormPlane);
HWY_EXPORT(LayerNormRow);
HWY_EXPORT(SoftmaxRow);
HWY_EXPORT(SoftmaxBlock);

namespace {

// Tasks of several microseconds made of pieces of `size` elements.
std::int64_t pieces_per_task(std::int64_t size) {
  return std::max<std::int64_t>(1, 4096 / std::max<std::int64_t>(1, size));
}

}  // namespace

void batch_norm_affine(std::int64_t channels, const float* mean, const float* variance, const float* gamma,
                       const float* beta, float epsilon, float* scale, float* shift) {
  for (std::int64_t c = 0; c < channels; ++c) {
    const double g = gamma ? static_cast<double>(gamma[c]) : 1.0, b = beta ? static_cast<double>(beta[c]) : 0.0;
    const double s = g / std::sqrt(static_cast<double>(variance[c]) + static_cast<double>(epsilon));
    scale[c] = static_cast<float>(s);
    shift[c] = static_cast<float>(b - static_cast<double>(mean[c]) * s);
  }
}

void instance_norm(const float* in, float* out, std::int64_t batch, std::int64_t channels, std::int64_t spatial,
                   const float* gamma, const float* beta, float epsilon, bool relu, runtime::ThreadPool& pool) {
  if (spatial <= 0) return;
  pool.parallel_ranges(batch * channels, pieces_per_task(spatial), [&](std::int64_t begin, std::int64_t end, int) {
    for (std::int64_t plane = begin; plane < end; ++plane) {
      const std::int64_t c = plane % channels;
      const double g = gamma ? static_cast<double>(gamma[c]) : 1.0, b = beta ? static_cast<double>(beta[c]) : 0.0;
      HWY_DYNAMIC_DISPATCH(InstanceNormPlane)
      (in + plane * spatial, out + plane * spatial, spatial, g, b, static_cast<double>(epsilon), relu);
    }
  });
}

void layer_norm(const float* in, float* out, std::int64_t outer, std::int64_t inner, const float* gamma,
                const float* beta, float epsilon, runtime::ThreadPool& pool) {
  if (inner <= 0) return;
  pool.parallel_ranges(outer, pieces_per_task(inner), [&](std::int64_t begin, std::int64_t end, int) {
    for (std::int64_t row = begin; row < end; ++row) {
      HWY_DYNAMIC_DISPATCH(LayerNormRow)
      (in + row * inner, out + row * inner, inner, gamma, beta, static_cast<double>(epsilon));
    }
  });
}

void softmax(const float* in, float* out, std::int64_t outer, std::int64_t axis, std::int64_t inner,
             runtime::ThreadPool& pool) {
  if (outer <= 0 || axis <= 0 || inner <= 0) return;
  if (inner == 1) {
    pool.parallel_ranges(outer, pieces_per_task(axis), [&](std::int64_t begin, std::int64_t end, int) {
      for (std::int64_t row = begin; row < end; ++row) {
        HWY_DYNAMIC_DISPATCH(SoftmaxRow)(in + row * axis, out + row * axis, axis);
      }
    });
    return;
  }
  constexpr std::int64_t kColumns = 64;
  const std::int64_t blocks = (inner + kColumns - 1) / kColumns;
  pool.parallel_ranges(
      outer * blocks, pieces_per_task(axis * kColumns), [&](std::int64_t begin, std::int64_t end, int) {
        for (std::int64_t task = begin; task < end; ++task) {
          const std::int64_t at = task / blocks * axis * inner, first = task % blocks * kColumns;
          HWY_DYNAMIC_DISPATCH(SoftmaxBlock)(in + at, out + at, axis, inner, first, std::min(inner, first + kColumns));
        }
      });
}

}  // namespace anemone::cpu
#endif
