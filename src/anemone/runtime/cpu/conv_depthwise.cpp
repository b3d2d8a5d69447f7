// Convolution with one input channel per group: nothing to share between outputs, so every plane is slid over directly.
#include <algorithm>
#include <vector>

#include "anemone/runtime/cpu/conv_kernels.h"
#include "anemone/runtime/cpu/highway_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "anemone/runtime/cpu/conv_depthwise.cpp"
#include <hwy/foreach_target.h>  // must come before highway.h
#include <hwy/highway.h>

#include "anemone/runtime/cpu/copy_row-inl.h"
#include "anemone/runtime/cpu/epilogue-inl.h"

HWY_BEFORE_NAMESPACE();
namespace anemone::cpu {
namespace HWY_NAMESPACE {
namespace {

using D = hn::CappedTag<float, 16>;
using V = hn::Vec<D>;
constexpr std::int64_t kUnroll = 4;  // output rows that are summed side by side: one chain would wait for itself

struct DepthwisePlan {
  RowPhases phases;
  std::int64_t used;                    // floats of a phase that are read; the others are room for whole vectors
  std::vector<std::int64_t> taps;       // where each tap of a window lies, from the window's first input row on
  std::int64_t band, bands, band_rows;  // output rows of a task, tasks of a plane, input rows of a band
  std::int64_t sums;                    // floats of one row of sums, whole vectors
};

DepthwisePlan PlanOf(const ConvCall& call) {
  const ConvParams& p = call.form->params;
  DepthwisePlan plan{};
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(D()));
  plan.sums = (call.out_width + lanes - 1) / lanes * lanes;
  plan.phases.stride = p.stride_width;
  plan.phases.pad_left = p.pad_left;
  // The last vector of a row is read whole.
  plan.used = plan.sums + (p.kernel_width - 1) * p.dilation_width / p.stride_width;
  plan.phases.length = plan.used + 2 * lanes;
  constexpr std::int64_t kBandFloats = 16 * 1024;  // a band stays in the second-level cache
  const std::int64_t reach = (p.kernel_height - 1) * p.dilation_height + 1;
  const std::int64_t rows = kBandFloats / plan.phases.size();  // of input
  plan.band = std::clamp<std::int64_t>(rows < reach ? 1 : (rows - reach) / p.stride_height + 1, 1, call.out_height);
  plan.bands = (call.out_height + plan.band - 1) / plan.band;
  plan.band_rows = (plan.band - 1) * p.stride_height + reach;
  for (std::int64_t ky = 0; ky < p.kernel_height; ++ky) {
    for (std::int64_t kx = 0; kx < p.kernel_width; ++kx) {
      plan.taps.push_back(ky * p.dilation_height * plan.phases.size() + plan.phases.offset(kx * p.dilation_width));
    }
  }
  return plan;
}

// One phase of a padded row, begun at `at` with `count` numbers of `from` (every kStride-th of them): zeros around.
struct Stretch {
  float* to;
  std::int64_t at, count;

  void Clear(std::int64_t used) const {
    const D d;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
    for (std::int64_t i = at + count; i < used; i += lanes) hn::StoreU(hn::Zero(d), d, to + i);
    for (std::int64_t i = 0; i < at; ++i) to[i] = 0.0f;
  }
};

// SplitRow for strides 1 and 2, in whole vectors: reads up to `room` floats of `from`, and writes up to two vectors
// beyond what is used of a phase. False when that is not enough.
bool SplitWhole(const DepthwisePlan& plan, const float* from, std::int64_t width, std::int64_t room, float* to,
                const Affine& affine) {
  const D d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const std::int64_t stride = plan.phases.stride, pad = plan.phases.pad_left, length = plan.phases.length;
  const auto stretch = [&](std::int64_t phase, std::int64_t at, std::int64_t count) {
    at = std::min(at, plan.used);
    return Stretch{to + phase * length, at, std::min(count, plan.used - at)};
  };
  const auto whole = [lanes](std::int64_t count) { return (count + lanes - 1) / lanes * lanes; };
  if (stride == 1) {
    const Stretch row = stretch(0, pad, width);
    if (whole(row.count) > room) return false;
    for (std::int64_t i = 0; i < row.count; i += lanes) {
      V x = hn::LoadU(d, from + i);
      if (affine.on) x = Apply(d, x, affine);
      hn::StoreU(x, d, row.to + row.at + i);
    }
    row.Clear(plan.used);
    return true;
  }
  if (stride != 2) return false;
  const Stretch even = stretch(pad % 2, pad / 2, (width + 1) / 2);
  const Stretch odd = stretch((pad + 1) % 2, (pad + 1) / 2, width / 2);
  const std::int64_t count = std::max(even.count, odd.count);
  if (2 * whole(count) > room) return false;
  for (std::int64_t i = 0; i < count; i += lanes) {
    V x, y;
    hn::LoadInterleaved2(d, from + 2 * i, x, y);
    if (affine.on) x = Apply(d, x, affine), y = Apply(d, y, affine);
    hn::StoreU(x, d, even.to + even.at + i);
    hn::StoreU(y, d, odd.to + odd.at + i);
  }
  even.Clear(plan.used);
  odd.Clear(plan.used);
  return true;
}

// sums[r, x] = all taps + bias, for kRows output rows; input rows of neighbours are `down` floats apart. The bias comes
// last, as in AddBias of gemm_tile.cpp: the taps' sums would round at its magnitude.
template <int kRows>
void SlideRows(const DepthwisePlan& plan, const float* rows, std::int64_t down, const float* weights, float bias,
               float* sums) {
  const D d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t x = 0; x < plan.sums; x += lanes) {
    V sum[kRows];
    for (V& each : sum) each = hn::Zero(d);
    const float* w = weights;
    for (const std::int64_t offset : plan.taps) {
      const V tap = hn::Set(d, *w++);
      const float* from = rows + offset + x;
      for (int r = 0; r < kRows; ++r) sum[r] = hn::MulAdd(tap, hn::LoadU(d, from + r * down), sum[r]);
    }
    for (int r = 0; r < kRows; ++r) hn::StoreU(hn::Add(sum[r], hn::Set(d, bias)), d, sums + r * plan.sums + x);
  }
}

// FinishRow where nothing is added, in whole vectors: writes up to `room` floats.
bool FinishWhole(const float* sums, float* out, std::int64_t columns, std::int64_t room, const Epilogue& e) {
  const D d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  if (e.add || e.round_half || (columns + lanes - 1) / lanes * lanes > room) return false;
  for (std::int64_t j = 0; j < columns; j += lanes) hn::StoreU(Activate(d, hn::LoadU(d, sums + j), e), d, out + j);
  return true;
}

void RunTask(const ConvCall& call, const DepthwisePlan& plan, std::int64_t task, float* scratch) {
  const ConvParams& p = call.form->params;
  const std::int64_t band = task % plan.bands, plane = task / plan.bands;  // of the output
  const std::int64_t image = plane / p.out_channels, channel = plane % p.out_channels;
  const std::int64_t in_channel = channel / (p.out_channels / p.groups);
  const float* in = call.in + (image * p.in_channels + in_channel) * call.in_height * call.in_width;
  const Affine affine = AffineOf(*call.prologue, in_channel);
  const std::int64_t first = band * plan.band, last = std::min(call.out_height, first + plan.band);
  float* sums = scratch;
  float* rows = scratch + kUnroll * plan.sums;
  const std::int64_t pitch = plan.phases.size();

  const std::int64_t top = first * p.stride_height - p.pad_top;
  const std::int64_t reach = (last - 1 - first) * p.stride_height + (p.kernel_height - 1) * p.dilation_height + 1;
  for (std::int64_t y = 0; y < reach; ++y) {
    if (top + y < 0 || top + y >= call.in_height) {
      std::fill_n(rows + y * pitch, pitch, 0.0f);
    } else {
      const float* row = in + (top + y) * call.in_width;
      const std::int64_t room = (call.in_height - top - y) * call.in_width;  // to the end of the plane
      if (!SplitWhole(plan, row, call.in_width, room, rows + y * pitch, affine)) {
        SplitRow(plan.phases, row, call.in_width, rows + y * pitch, affine);
      }
    }
  }
  const float* weights = call.weights + channel * p.kernel_height * p.kernel_width;
  const std::int64_t down = p.stride_height * pitch;
  for (std::int64_t y = first; y < last; y += kUnroll) {
    const float* from = rows + (y - first) * down;
    const std::int64_t count = std::min(kUnroll, last - y);
    if (count == kUnroll) {
      SlideRows<kUnroll>(plan, from, down, weights, call.bias[channel], sums);
    } else {
      for (std::int64_t r = 0; r < count; ++r) {
        SlideRows<1>(plan, from + r * down, down, weights, call.bias[channel], sums + r * plan.sums);
      }
    }
    for (std::int64_t r = 0; r < count; ++r) {
      const std::int64_t at = (plane * call.out_height + y + r) * call.out_width;
      const std::int64_t room = (last - y - r) * call.out_width;  // rows of this task, which are written later
      if (FinishWhole(sums + r * plan.sums, call.out + at, call.out_width, room, *call.epilogue)) continue;
      const float* add = call.epilogue->add ? call.epilogue->add + at : nullptr;
      FinishRow(D(), sums + r * plan.sums, add, call.out + at, call.out_width, *call.epilogue);
    }
  }
}

}  // namespace

void ConvDepthwise(const ConvCall& call, runtime::ThreadPool& pool) {
  const DepthwisePlan plan = PlanOf(call);
  const std::int64_t tasks = call.batch * call.form->params.out_channels * plan.bands;
  run_tasks(tasks, kUnroll * plan.sums + plan.band_rows * plan.phases.size(), pool,
            [&](std::int64_t task, float* scratch) { RunTask(call, plan, task, scratch); });
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace anemone::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace anemone::cpu {

HWY_EXPORT(ConvDepthwise);
void conv2d_depthwise(const ConvCall& call, runtime::ThreadPool& pool) {
  HWY_DYNAMIC_DISPATCH(ConvDepthwise)(call, pool);
}

}  // namespace anemone::cpu
#endif
