#pragma once
// The micro-kernel all matrix products share: a tile of a few rows by two vectors of columns, held in registers.
#include <cstdint>

#include "anemone/runtime/cpu/epilogue.h"

namespace anemone::cpu {

/// out[r, j] = epilogue(bias + sum_p a[p * rows + r] * b[p * b_stride + j]) for r < rows, j < columns. Every output is
/// summed in the order of p, in chains of 128 terms, the bias last, so how a product is cut into tiles shows in no bit.
struct GemmTile {
  std::int64_t depth = 0;    // p < depth
  const float* a = nullptr;  // [depth][rows]
  const float* b = nullptr;  // [depth][b_stride]; readable up to whole vectors
  std::int64_t b_stride = 0;
  float* out = nullptr;
  std::int64_t out_stride = 0;         // of out and add, in floats
  const float* add = nullptr;          // Epilogue::add at this tile's place, or nullptr
  const float* row_bias = nullptr;     // [rows], or nullptr
  const float* column_bias = nullptr;  // [columns], or nullptr; not together with row_bias
  std::int64_t columns = 0;            // 1 .. 2 * lanes
  const Epilogue* epilogue = nullptr;  // its `add` is not looked at
};

struct GemmKernels {
  static constexpr std::int64_t kMaxRows = 8;
  std::int64_t lanes = 0;       // floats of a vector; a tile is 2 * lanes wide
  std::int64_t panel_rows = 0;  // rows that keep all registers busy: 8 where there are 32 of them, else 6
  using Run = void (*)(const GemmTile&);
  Run run[kMaxRows + 1] = {};  // by number of rows, 1 .. kMaxRows

  std::int64_t width() const { return 2 * lanes; }
};

/// Of the chosen target.
const GemmKernels& gemm_kernels();

/// Cuts `rows` into as few panels as possible, none above `panel_rows`, and none smaller than its neighbours by more
/// than one: a small last panel would not keep the registers busy.
struct RowPanels {
  std::int64_t count = 0, base = 0, larger = 0;  // the first `larger` panels have base + 1 rows

  RowPanels(std::int64_t rows, std::int64_t panel_rows)
      : count((rows + panel_rows - 1) / panel_rows),
        base(rows / (count > 0 ? count : 1)),
        larger(rows - base * count) {}
  std::int64_t begin(std::int64_t panel) const { return panel * base + (panel < larger ? panel : larger); }
  std::int64_t size(std::int64_t panel) const { return base + (panel < larger ? 1 : 0); }
};

}  // namespace anemone::cpu
