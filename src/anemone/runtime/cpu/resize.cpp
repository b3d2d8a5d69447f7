// Nearest and bilinear resampling from tables of positions.
#include "anemone/runtime/cpu/resize.h"

#include <algorithm>
#include <vector>

#include "anemone/runtime/cpu/highway_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "anemone/runtime/cpu/resize.cpp"
#include <hwy/foreach_target.h>  // must come before highway.h
//
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace anemone::cpu {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using D = hn::CappedTag<float, 16>;
using V = hn::Vec<D>;

}  // namespace

// out[2i] = out[2i + 1] = in[i].
void DoubleRow(const float* in, float* out, std::int64_t n) {
  const D d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const V x = hn::LoadU(d, in + i);
    hn::StoreInterleaved2(x, x, d, out + 2 * i);
  }
  for (; i < n; ++i) out[2 * i] = out[2 * i + 1] = in[i];
}

// out = a + weight * (b - a).
void BlendRows(const float* a, const float* b, float weight, float* out, std::int64_t n) {
  const D d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const V w = hn::Set(d, weight);
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const V x = hn::LoadU(d, a + i);
    hn::StoreU(hn::MulAdd(w, hn::Sub(hn::LoadU(d, b + i), x), x), d, out + i);
  }
  for (; i < n; ++i) out[i] = a[i] + weight * (b[i] - a[i]);
}

// out[i] = row[low[i]] blended with row[high[i]]. The tables are filled up to whole vectors.
void BlendColumns(const float* row, const std::int32_t* low, const std::int32_t* high, const float* weights, float* out,
                  std::int64_t n) {
  const D d;
  const hn::RebindToSigned<D> di;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  HWY_ALIGN float edge[hn::MaxLanes(D())];
  for (std::int64_t i = 0; i < n; i += lanes) {
    const V a = hn::GatherIndex(d, row, hn::LoadU(di, low + i));
    const V b = hn::GatherIndex(d, row, hn::LoadU(di, high + i));
    const V w = hn::LoadU(d, weights + i);
    // At weight 0 the other side must not matter, infinite as it may be.
    const V x = hn::IfThenElse(hn::Eq(w, hn::Zero(d)), a, hn::MulAdd(w, hn::Sub(b, a), a));
    if (i + lanes <= n) {
      hn::StoreU(x, d, out + i);
    } else {
      hn::StoreU(x, d, edge);
      std::copy_n(edge, n - i, out + i);
    }
  }
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace anemone::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace anemone::cpu {

HWY_EXPORT(DoubleRow);
HWY_EXPORT(BlendRows);
HWY_EXPORT(BlendColumns);

namespace {

/// Where outputs lie between two inputs: low + weight.
struct Taps {
  std::vector<std::int32_t> low, high;
  std::vector<float> weight;

  Taps(Sampling mode, std::int64_t in, std::int64_t out) {
    constexpr std::int64_t kPadded = 16;  // no target has longer vectors
    const auto size = static_cast<std::size_t>((out + kPadded - 1) / kPadded * kPadded);
    low.resize(size);
    high.resize(size);
    weight.resize(size);
    for (std::int64_t i = 0; i < out; ++i) {
      const double position = sample_position(mode, i, in, out);
      const auto k = static_cast<std::size_t>(i);
      low[k] = static_cast<std::int32_t>(position);
      weight[k] = static_cast<float>(position - low[k]);
      high[k] = static_cast<std::int32_t>(std::min<std::int64_t>(in - 1, low[k] + 1));
    }
  }
};

std::int64_t planes_per_task(const ResizeShape& s) {
  return std::max<std::int64_t>(1, 8192 / std::max<std::int64_t>(1, s.out_height * s.out_width));
}

bool empty(const ResizeShape& s) {
  return s.planes <= 0 || s.in_height <= 0 || s.in_width <= 0 || s.out_height <= 0 || s.out_width <= 0;
}

}  // namespace

void resize_nearest(const ResizeShape& s, const float* in, float* out, runtime::ThreadPool& pool) {
  if (empty(s)) return;
  std::vector<std::int64_t> columns(static_cast<std::size_t>(s.out_width));
  for (std::int64_t x = 0; x < s.out_width; ++x) columns[static_cast<std::size_t>(x)] = x * s.in_width / s.out_width;
  pool.parallel_ranges(s.planes, planes_per_task(s), [&](std::int64_t begin, std::int64_t end, int) {
    for (std::int64_t plane = begin; plane < end; ++plane) {
      const float* from = in + plane * s.in_height * s.in_width;
      float* to = out + plane * s.out_height * s.out_width;
      std::int64_t done = -1;  // the input row that the output row before came from
      for (std::int64_t y = 0; y < s.out_height; ++y, to += s.out_width) {
        const std::int64_t row = y * s.in_height / s.out_height;
        const float* x = from + row * s.in_width;
        if (row == done) {
          std::copy_n(to - s.out_width, s.out_width, to);
        } else if (s.out_width == s.in_width) {
          std::copy_n(x, s.out_width, to);
        } else if (s.out_width == 2 * s.in_width) {
          HWY_DYNAMIC_DISPATCH(DoubleRow)(x, to, s.in_width);
        } else {
          for (std::int64_t i = 0; i < s.out_width; ++i) to[i] = x[columns[static_cast<std::size_t>(i)]];
        }
        done = row;
      }
    }
  });
}

double sample_position(Sampling mode, std::int64_t i, std::int64_t in, std::int64_t out) {
  const auto at = static_cast<double>(i), from = static_cast<double>(in), to = static_cast<double>(out);
  double position = 0;
  switch (mode) {
    case Sampling::strict_align_corners:
      position = out > 1 ? at * (from - 1) / (to - 1) : 0;
      break;
    case Sampling::align_corners:
      position = out > 1 ? at * (from - 1) / (to - 1) : (from - 1) / 2;
      break;
    case Sampling::default_mode:
      position = at * from / to;
      break;
    case Sampling::unalign_corners:
      position = (at + 0.5) * from / to - 0.5;
      break;
    case Sampling::offset_corners:
      position = (at + 0.5) * std::max(1.0, from - 1) / to;
      break;
  }
  return std::clamp(position, 0.0, from - 1);
}

void resize_bilinear(const ResizeShape& s, Sampling mode, const float* in, float* out, runtime::ThreadPool& pool) {
  if (empty(s)) return;
  const Taps rows(mode, s.in_height, s.out_height), columns(mode, s.in_width, s.out_width);
  pool.reserve_scratch(static_cast<std::size_t>(s.in_width));
  pool.parallel_ranges(s.planes, planes_per_task(s), [&](std::int64_t begin, std::int64_t end, int worker) {
    for (std::int64_t plane = begin; plane < end; ++plane) {
      const float* from = in + plane * s.in_height * s.in_width;
      float* to = out + plane * s.out_height * s.out_width;
      for (std::int64_t y = 0; y < s.out_height; ++y, to += s.out_width) {
        const auto k = static_cast<std::size_t>(y);
        const float* row = from + rows.low[k] * s.in_width;
        if (rows.weight[k] != 0) {
          float* blended = pool.scratch(worker);
          HWY_DYNAMIC_DISPATCH(BlendRows)
          (row, from + rows.high[k] * s.in_width, rows.weight[k], blended, s.in_width);
          row = blended;
        }
        HWY_DYNAMIC_DISPATCH(BlendColumns)
        (row, columns.low.data(), columns.high.data(), columns.weight.data(), to, s.out_width);
      }
    }
  });
}

}  // namespace anemone::cpu
#endif
