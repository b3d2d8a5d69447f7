#pragma once
// Matrix products of row-major float32 matrices.
#include <cstdint>

#include "anemone/runtime/base/float_buffer.h"
#include "anemone/runtime/base/thread_pool.h"
#include "anemone/runtime/cpu/epilogue.h"

namespace anemone::cpu {

/// A [k, n] matrix cut into panels of kPanelColumns columns, zero-padded: [ceil(n / kPanelColumns)][k][kPanelColumns].
/// Independent of the instruction set.
struct PackedMatrix {
  static constexpr std::int64_t kPanelColumns = 32;
  std::int64_t k = 0, n = 0;
  runtime::FloatBuffer data;
};

/// Packs b [k, n], or b [n, k] when `transposed` (the weights of a linear layer).
PackedMatrix pack_matrix(const float* b, std::int64_t k, std::int64_t n, bool transposed);

/// out [m, n] = a [m, k] * b + bias [n] (nullptr = none). Sums as in conv2d.
/// `packed` is the data of a PackedMatrix [k, n].
void linear(const float* a, std::int64_t m, std::int64_t k, std::int64_t n, const float* packed, const float* bias,
            float* out, runtime::ThreadPool& pool, const Epilogue& epilogue = {});
void linear(const float* a, std::int64_t m, const PackedMatrix& b, const float* bias, float* out,
            runtime::ThreadPool& pool, const Epilogue& epilogue = {});

/// out [m, n] = a * b, where a is [m, k] ([k, m] when transpose_a) and b is [k, n] ([n, k] when transpose_b).
/// Batches are the caller's loop, or matmul_batched's.
struct MatmulShape {
  std::int64_t m = 1, k = 1, n = 1;
  bool transpose_a = false, transpose_b = false;
};
void matmul(const MatmulShape& shape, const float* a, const float* b, float* out, runtime::ThreadPool& pool);

/// `batch` products; a and b advance by their stride in floats from one to the next (0 = the same matrix every time).
void matmul_batched(const MatmulShape& shape, std::int64_t batch, const float* a, std::int64_t a_stride, const float* b,
                    std::int64_t b_stride, float* out, runtime::ThreadPool& pool);

}  // namespace anemone::cpu
