// One row of outputs at a time: its sums stay in the first-level cache while all terms go by.
#include "anemone/runtime/cpu/half_sums.h"

#include <algorithm>

#include "anemone/runtime/cpu/highway_targets.h"
#include "anemone/support/half.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "anemone/runtime/cpu/half_sums.cpp"
#include <hwy/foreach_target.h>  // must come before highway.h
//
#include <hwy/highway.h>

#include "anemone/runtime/cpu/half_round-inl.h"

HWY_BEFORE_NAMESPACE();
namespace anemone::cpu {
namespace HWY_NAMESPACE {
namespace {

// Whole vectors of at most `Lanes`; returns where they end.
template <std::size_t Lanes>
std::int64_t AddVectors(float factor, const float* terms, float* sums, std::int64_t i, std::int64_t count) {
  const hn::CappedTag<float, Lanes> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto f = hn::Set(d, factor);
  for (; i + lanes <= count; i += lanes) {
    const auto sum = hn::Add(hn::LoadU(d, sums + i), hn::Mul(f, hn::LoadU(d, terms + i)));
    hn::StoreU(RoundToHalf(d, sum), d, sums + i);
  }
  return i;
}

// sums[i] = half(sums[i] + factor * terms[i * stride]). Products of halves are exact in float32.
void AddRow(float factor, const float* terms, std::int64_t stride, float* sums, std::int64_t count) {
  std::int64_t i = 0;
  if (stride == 1) {
    i = AddVectors<16>(factor, terms, sums, i, count);
    i = AddVectors<8>(factor, terms, sums, i, count);
    i = AddVectors<4>(factor, terms, sums, i, count);
  }
  for (; i < count; ++i) sums[i] = anemone::round_to_half(sums[i] + factor * terms[i * stride]);
}

struct Plane {
  const float* data;
  std::int64_t height, width;
};

// The terms of one input channel for output row y.
void AddChannel(const ConvParams& p, const float* taps, const Plane& in, std::int64_t y, float* sums,
                std::int64_t out_width) {
  for (std::int64_t ky = 0; ky < p.kernel_height; ++ky) {
    const std::int64_t row = y * p.stride_height - p.pad_top + ky * p.dilation_height;
    if (row < 0 || row >= in.height) continue;
    for (std::int64_t kx = 0; kx < p.kernel_width; ++kx) {
      const std::int64_t shift = kx * p.dilation_width - p.pad_left, stride = p.stride_width;
      const std::int64_t first = shift >= 0 ? 0 : (-shift + stride - 1) / stride;
      const std::int64_t last = shift >= in.width ? 0 : std::min(out_width, (in.width - shift + stride - 1) / stride);
      if (first >= last) continue;
      AddRow(taps[ky * p.kernel_width + kx], in.data + row * in.width + first * stride + shift, stride, sums + first,
             last - first);
    }
  }
}

}  // namespace

void ConvHalfSums(const ConvParams& params, const float* weights, const float* bias, const float* in,
                  std::int64_t batch, std::int64_t in_height, std::int64_t in_width, float* out,
                  runtime::ThreadPool& pool) {
  const ConvParams& p = params;
  const std::int64_t out_height = p.out_height(in_height), out_width = p.out_width(in_width);
  const std::int64_t channels = p.in_channels / p.groups, rows = p.out_channels / p.groups;
  const std::int64_t taps = p.kernel_height * p.kernel_width, plane = in_height * in_width;
  pool.parallel_for(batch * p.out_channels, [&](std::int64_t task, int) {
    const std::int64_t image = task / p.out_channels, channel = task % p.out_channels;
    const float* from = in + (image * p.in_channels + channel / rows * channels) * plane;
    for (std::int64_t y = 0; y < out_height; ++y) {
      float* sums = out + (task * out_height + y) * out_width;
      std::fill_n(sums, out_width, 0.0f);
      for (std::int64_t c = 0; c < channels; ++c) {
        AddChannel(p, weights + (channel * channels + c) * taps, {from + c * plane, in_height, in_width}, y, sums,
                   out_width);
      }
      for (std::int64_t x = 0; bias && x < out_width; ++x) sums[x] = anemone::round_to_half(sums[x] + bias[channel]);
    }
  });
}

void MatmulHalfSums(const MatmulShape& shape, std::int64_t batch, const float* a, std::int64_t a_stride, const float* b,
                    std::int64_t b_stride, const float* bias, float* out, runtime::ThreadPool& pool) {
  const std::int64_t row_stride = shape.transpose_a ? 1 : shape.k, k_stride = shape.transpose_a ? shape.m : 1;
  const std::int64_t b_row = shape.transpose_b ? 1 : shape.n, b_column = shape.transpose_b ? shape.k : 1;
  pool.parallel_for(batch * shape.m, [&](std::int64_t task, int) {
    const float* row = a + task / shape.m * a_stride + task % shape.m * row_stride;
    const float* matrix = b + task / shape.m * b_stride;
    float* sums = out + task * shape.n;
    std::fill_n(sums, shape.n, 0.0f);
    for (std::int64_t k = 0; k < shape.k; ++k) {
      AddRow(row[k * k_stride], matrix + k * b_row, b_column, sums, shape.n);
    }
    for (std::int64_t n = 0; bias && n < shape.n; ++n) sums[n] = anemone::round_to_half(sums[n] + bias[n]);
  });
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace anemone::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace anemone::cpu {

HWY_EXPORT(ConvHalfSums);
HWY_EXPORT(MatmulHalfSums);

void conv2d_half_sums(const ConvParams& params, const float* weights, const float* bias, const float* in,
                      std::int64_t batch, std::int64_t in_height, std::int64_t in_width, float* out,
                      runtime::ThreadPool& pool) {
  HWY_DYNAMIC_DISPATCH(ConvHalfSums)(params, weights, bias, in, batch, in_height, in_width, out, pool);
}

void matmul_half_sums(const MatmulShape& shape, std::int64_t batch, const float* a, std::int64_t a_stride,
                      const float* b, std::int64_t b_stride, const float* bias, float* out, runtime::ThreadPool& pool) {
  HWY_DYNAMIC_DISPATCH(MatmulHalfSums)(shape, batch, a, a_stride, b, b_stride, bias, out, pool);
}

}  // namespace anemone::cpu
#endif
