// Convolution with one input channel per group: nothing to share between outputs, so every plane is slid over directly.
#include <algorithm>

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
constexpr int kUnroll = 4;

struct DepthwisePlan {
  RowPhases phases;
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
  // The last vector of a row may be read whole.
  plan.phases.length = plan.sums + (p.kernel_width - 1) * p.dilation_width / p.stride_width;
  constexpr std::int64_t kBandFloats = 16 * 1024;  // a band stays in the second-level cache
  const std::int64_t reach = (p.kernel_height - 1) * p.dilation_height + 1;
  const std::int64_t rows = kBandFloats / plan.phases.size();  // of input
  plan.band = std::clamp<std::int64_t>(rows < reach ? 1 : (rows - reach) / p.stride_height + 1, 1, call.out_height);
  plan.bands = (call.out_height + plan.band - 1) / plan.band;
  plan.band_rows = (plan.band - 1) * p.stride_height + reach;
  return plan;
}

// sums[x] = bias + all taps, for one output row whose first input row is `rows`.
void SlideRow(const ConvParams& p, const RowPhases& phases, const float* rows, const float* weights, float bias,
              float* sums, std::int64_t width) {
  const D d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const std::int64_t down = p.dilation_height * phases.size();
  std::int64_t x = 0;
  for (; x + kUnroll * lanes <= width; x += kUnroll * lanes) {
    V s0 = hn::Set(d, bias), s1 = s0, s2 = s0, s3 = s0;
    const float* w = weights;
    for (std::int64_t ky = 0; ky < p.kernel_height; ++ky) {
      for (std::int64_t kx = 0; kx < p.kernel_width; ++kx) {
        const V tap = hn::Set(d, *w++);
        const float* from = rows + ky * down + phases.offset(kx * p.dilation_width) + x;
        s0 = hn::MulAdd(tap, hn::LoadU(d, from), s0);
        s1 = hn::MulAdd(tap, hn::LoadU(d, from + lanes), s1);
        s2 = hn::MulAdd(tap, hn::LoadU(d, from + 2 * lanes), s2);
        s3 = hn::MulAdd(tap, hn::LoadU(d, from + 3 * lanes), s3);
      }
    }
    hn::StoreU(s0, d, sums + x);
    hn::StoreU(s1, d, sums + x + lanes);
    hn::StoreU(s2, d, sums + x + 2 * lanes);
    hn::StoreU(s3, d, sums + x + 3 * lanes);
  }
  for (; x < width; x += lanes) {
    V sum = hn::Set(d, bias);
    const float* w = weights;
    for (std::int64_t ky = 0; ky < p.kernel_height; ++ky) {
      for (std::int64_t kx = 0; kx < p.kernel_width; ++kx) {
        const float* from = rows + ky * down + phases.offset(kx * p.dilation_width) + x;
        sum = hn::MulAdd(hn::Set(d, *w++), hn::LoadU(d, from), sum);
      }
    }
    hn::StoreU(sum, d, sums + x);
  }
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
  float* rows = scratch + plan.sums;
  const std::int64_t pitch = plan.phases.size();

  const std::int64_t top = first * p.stride_height - p.pad_top;
  const std::int64_t reach = (last - 1 - first) * p.stride_height + (p.kernel_height - 1) * p.dilation_height + 1;
  for (std::int64_t y = 0; y < reach; ++y) {
    if (top + y < 0 || top + y >= call.in_height) {
      std::fill_n(rows + y * pitch, pitch, 0.0f);
    } else {
      SplitRow(plan.phases, in + (top + y) * call.in_width, call.in_width, rows + y * pitch, affine);
    }
  }
  const float* weights = call.weights + channel * p.kernel_height * p.kernel_width;
  for (std::int64_t y = first; y < last; ++y) {
    const float* from = rows + (y - first) * p.stride_height * pitch;
    SlideRow(p, plan.phases, from, weights, call.bias[channel], sums, plan.sums);
    const std::int64_t at = (plane * call.out_height + y) * call.out_width;
    const float* add = call.epilogue->add ? call.epilogue->add + at : nullptr;
    FinishRow(D(), sums, add, call.out + at, call.out_width, *call.epilogue);
  }
}

}  // namespace

void ConvDepthwise(const ConvCall& call, runtime::ThreadPool& pool) {
  const DepthwisePlan plan = PlanOf(call);
  const std::int64_t tasks = call.batch * call.form->params.out_channels * plan.bands;
  run_tasks(tasks, plan.sums + plan.band_rows * plan.phases.size(), pool,
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
