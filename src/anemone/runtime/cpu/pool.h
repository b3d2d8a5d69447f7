#pragma once
// 2-D pooling of NCHW float32 tensors. A 1-D pool is one of height 1.
#include <cstdint>

#include "anemone/runtime/base/thread_pool.h"

namespace anemone::cpu {

struct PoolParams {
  std::int64_t kernel_height = 1, kernel_width = 1;
  std::int64_t stride_height = 1, stride_width = 1;
  std::int64_t pad_top = 0, pad_left = 0;  ///< how far behind the input is padded shows in the size of the output
};

/// planes = batch * channels. The caller gives the output's size (ceil mode or not): windows may start before the input
/// and reach past its end. A window that sees no input at all gives -infinity (max) or 0 (average).
struct PoolShape {
  std::int64_t planes = 1, in_height = 1, in_width = 1, out_height = 1, out_width = 1;
};

/// NaN inputs give NaN.
void max_pool(const PoolParams& params, const PoolShape& shape, const float* in, float* out, runtime::ThreadPool& pool);

/// The sum of the window's inputs divided by the number of its places, or with exclude_padding of its inputs.
void avg_pool(const PoolParams& params, const PoolShape& shape, bool exclude_padding, const float* in, float* out,
              runtime::ThreadPool& pool);

}  // namespace anemone::cpu
