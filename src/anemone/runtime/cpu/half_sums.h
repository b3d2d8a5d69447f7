#pragma once
// Products whose sums are rounded to half after every term: the worst that hardware with fp16 accumulators may do.
#include <cstdint>

#include "anemone/runtime/base/thread_pool.h"
#include "anemone/runtime/cpu/conv.h"
#include "anemone/runtime/cpu/gemm.h"

namespace anemone::cpu {

/// As conv2d, with weights [out_channels, in_channels / groups, kernel_height, kernel_width] as they are; bias may be
/// nullptr. Terms are added channel after channel, taps inside; each product enters its sum unrounded. About 15 times
/// slower than conv2d.
void conv2d_half_sums(const ConvParams& params, const float* weights, const float* bias, const float* in,
                      std::int64_t batch, std::int64_t in_height, std::int64_t in_width, float* out,
                      runtime::ThreadPool& pool);

/// As matmul_batched, with an optional bias [n] at the end.
void matmul_half_sums(const MatmulShape& shape, std::int64_t batch, const float* a, std::int64_t a_stride,
                      const float* b, std::int64_t b_stride, const float* bias, float* out, runtime::ThreadPool& pool);

}  // namespace anemone::cpu
