// Packing and blocking of matrix products; the tiles themselves are gemm_tile.cpp's.
#include "anemone/runtime/cpu/gemm.h"

#include <algorithm>

#include "anemone/runtime/cpu/gemm_tile.h"

namespace anemone::cpu {
namespace {

constexpr std::int64_t kPanelColumns = PackedMatrix::kPanelColumns;

std::int64_t column_panels(std::int64_t n) { return (n + kPanelColumns - 1) / kPanelColumns; }

// One panel of b [k, n] (or [n, k]) to [k][kPanelColumns]. Transposed input is read along k in strips, which keeps both
// sides in cache.
void pack_columns(const float* b, std::int64_t k, std::int64_t n, bool transposed, std::int64_t panel, float* to) {
  const std::int64_t first = panel * kPanelColumns, count = std::min(kPanelColumns, n - first);
  if (count < kPanelColumns) std::fill_n(to, k * kPanelColumns, 0.0f);
  if (!transposed) {
    for (std::int64_t p = 0; p < k; ++p) std::copy_n(b + p * n + first, count, to + p * kPanelColumns);
    return;
  }
  constexpr std::int64_t kStrip = 16;
  for (std::int64_t strip = 0; strip < k; strip += kStrip) {
    const std::int64_t end = std::min(k, strip + kStrip);
    for (std::int64_t j = 0; j < count; ++j) {
      const float* from = b + (first + j) * k;
      for (std::int64_t p = strip; p < end; ++p) to[p * kPanelColumns + j] = from[p];
    }
  }
}

// `rows` rows of a to [k][rows].
void pack_rows(const float* a, std::int64_t m, std::int64_t k, bool transposed, std::int64_t first, std::int64_t rows,
               float* to) {
  if (transposed) {
    for (std::int64_t p = 0; p < k; ++p) std::copy_n(a + p * m + first, rows, to + p * rows);
    return;
  }
  for (std::int64_t r = 0; r < rows; ++r) {
    const float* from = a + (first + r) * k;
    for (std::int64_t p = 0; p < k; ++p) to[p * rows + r] = from[p];
  }
}

struct Product {
  std::int64_t m, k, n, batch;
  const float* a;
  std::int64_t a_stride;  // from one batch to the next
  bool transpose_a;
  const float* b;  // packed
  std::int64_t b_stride;
  const float* bias;  // [n] or nullptr
  float* out;
  const Epilogue* epilogue;
};

// A task packs a block of rows of a (small enough for the second-level cache) and multiplies some panels of b with it.
void multiply(const Product& x, runtime::ThreadPool& pool) {
  if (x.m <= 0 || x.n <= 0 || x.batch <= 0) return;
  const GemmKernels& kernels = gemm_kernels();
  const RowPanels rows(x.m, kernels.panel_rows);
  constexpr std::int64_t kBlockFloats = 32 * 1024;
  const std::int64_t panels = column_panels(x.n);
  const std::int64_t block =
      std::clamp<std::int64_t>(kBlockFloats / (std::max<std::int64_t>(1, x.k) * kernels.panel_rows), 1, rows.count);
  const std::int64_t blocks = (rows.count + block - 1) / block;
  const std::int64_t wanted = 4 * pool.threads();
  const std::int64_t splits = std::clamp<std::int64_t>((wanted + blocks * x.batch - 1) / (blocks * x.batch), 1, panels);
  pool.reserve_scratch(static_cast<std::size_t>(block * kernels.panel_rows * x.k));
  pool.parallel_for(blocks * splits * x.batch, [&](std::int64_t task, int worker) {
    const std::int64_t split = task % splits, b_index = task / splits % blocks, batch = task / splits / blocks;
    const std::int64_t begin = b_index * block, end = std::min(rows.count, begin + block);
    float* packed = pool.scratch(worker);
    const std::int64_t first_row = rows.begin(begin);
    for (std::int64_t panel = begin; panel < end; ++panel) {
      pack_rows(x.a + batch * x.a_stride, x.m, x.k, x.transpose_a, rows.begin(panel), rows.size(panel),
                packed + (rows.begin(panel) - first_row) * x.k);
    }
    GemmTile t;
    t.depth = x.k;
    t.b_stride = kPanelColumns;
    t.out_stride = x.n;
    t.epilogue = x.epilogue;
    for (std::int64_t panel = split * panels / splits; panel < (split + 1) * panels / splits; ++panel) {
      for (std::int64_t j = 0; j < kPanelColumns; j += kernels.width()) {
        const std::int64_t column = panel * kPanelColumns + j;
        if (column >= x.n) break;
        t.columns = std::min(kernels.width(), x.n - column);
        t.b = x.b + batch * x.b_stride + panel * x.k * kPanelColumns + j;
        if (x.bias) t.column_bias = x.bias + column;
        for (std::int64_t row_panel = begin; row_panel < end; ++row_panel) {
          const std::int64_t row = rows.begin(row_panel), at = (batch * x.m + row) * x.n + column;
          t.a = packed + (row - first_row) * x.k;
          t.out = x.out + at;
          if (x.epilogue->add) t.add = x.epilogue->add + at;
          kernels.run[rows.size(row_panel)](t);
        }
      }
    }
  });
}

}  // namespace

PackedMatrix pack_matrix(const float* b, std::int64_t k, std::int64_t n, bool transposed) {
  PackedMatrix packed;
  packed.k = k;
  packed.n = n;
  const std::int64_t panels = column_panels(n);
  packed.data = runtime::FloatBuffer(static_cast<std::size_t>(panels * k * kPanelColumns));
  for (std::int64_t panel = 0; panel < panels; ++panel) {
    pack_columns(b, k, n, transposed, panel, packed.data.data() + panel * k * kPanelColumns);
  }
  return packed;
}

void linear(const float* a, std::int64_t m, std::int64_t k, std::int64_t n, const float* packed, const float* bias,
            float* out, runtime::ThreadPool& pool, const Epilogue& epilogue) {
  multiply({m, k, n, 1, a, 0, false, packed, 0, bias, out, &epilogue}, pool);
}

void linear(const float* a, std::int64_t m, const PackedMatrix& b, const float* bias, float* out,
            runtime::ThreadPool& pool, const Epilogue& epilogue) {
  linear(a, m, b.k, b.n, b.data.data(), bias, out, pool, epilogue);
}

void matmul(const MatmulShape& shape, const float* a, const float* b, float* out, runtime::ThreadPool& pool) {
  matmul_batched(shape, 1, a, 0, b, 0, out, pool);
}

void matmul_batched(const MatmulShape& s, std::int64_t batch, const float* a, std::int64_t a_stride, const float* b,
                    std::int64_t b_stride, float* out, runtime::ThreadPool& pool) {
  if (s.m <= 0 || s.n <= 0 || batch <= 0) return;
  const std::int64_t panels = column_panels(s.n), size = panels * s.k * kPanelColumns;
  const std::int64_t matrices = b_stride == 0 ? 1 : batch;
  runtime::FloatBuffer packed(static_cast<std::size_t>(size * matrices));
  pool.parallel_for(panels * matrices, [&](std::int64_t task, int) {
    const std::int64_t panel = task % panels, matrix = task / panels;
    pack_columns(b + matrix * b_stride, s.k, s.n, s.transpose_b, panel,
                 packed.data() + matrix * size + panel * s.k * kPanelColumns);
  });
  const Epilogue none;
  multiply(
      {s.m, s.k, s.n, batch, a, a_stride, s.transpose_a, packed.data(), b_stride == 0 ? 0 : size, nullptr, out, &none},
      pool);
}

}  // namespace anemone::cpu
