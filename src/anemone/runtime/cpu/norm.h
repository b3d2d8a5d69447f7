#pragma once
// Normalisations and softmax.
#include <cstdint>

#include "anemone/runtime/base/thread_pool.h"

namespace anemone::cpu {

/// Turns batch normalisation into channel_affine's scale and shift: scale = gamma / sqrt(variance + epsilon),
/// shift = beta - mean * scale, computed in double. gamma and beta may be nullptr (1 and 0).
void batch_norm_affine(std::int64_t channels, const float* mean, const float* variance, const float* gamma,
                       const float* beta, float epsilon, float* scale, float* shift);

/// Per plane [n, c]: (x - mean) / sqrt(variance + epsilon) * gamma[c] + beta[c]; the variance is the population's, both
/// sums are accumulated in double and the variance around the mean. gamma and beta may be nullptr. in may be out.
void instance_norm(const float* in, float* out, std::int64_t batch, std::int64_t channels, std::int64_t spatial,
                   const float* gamma, const float* beta, float epsilon, bool relu, runtime::ThreadPool& pool);

/// Per row of `inner` elements: the same, with gamma and beta [inner] or nullptr.
void layer_norm(const float* in, float* out, std::int64_t outer, std::int64_t inner, const float* gamma,
                const float* beta, float epsilon, runtime::ThreadPool& pool);

/// exp(x - max) / sum over the middle extent of [outer, axis, inner]; the sum in double, of short float sums. in may be
/// out.
void softmax(const float* in, float* out, std::int64_t outer, std::int64_t axis, std::int64_t inner,
             runtime::ThreadPool& pool);

}  // namespace anemone::cpu
