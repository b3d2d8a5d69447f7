// Every movement is one strided copy; the fast cases are rows, fills and blocked transposes.
#include "anemone/runtime/cpu/move.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <vector>

#include "anemone/runtime/cpu/loop_nest.h"

namespace anemone::cpu {
namespace {

using Ints = std::span<const std::int64_t>;

constexpr std::int64_t kGrain = 16 * 1024;  // elements

// Dimensions in the order of their steps through the output, so that writes run forward.
LoopNest<2> nest_of(Ints in_strides, Ints out_strides, ShapeView shape) {
  std::vector<std::size_t> order(shape.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return out_strides[a] > out_strides[b]; });
  std::vector<std::int64_t> extents;
  Strides from, to;
  for (const std::size_t k : order) {
    extents.push_back(shape[k]);
    from.push_back(in_strides[k]);
    to.push_back(out_strides[k]);
  }
  return LoopNest<2>(extents, {from, to});
}

// The innermost loop writes forward and reads in strides; `across` reads forward and writes in strides. In square
// blocks both sides use whole cache lines.
void blocked_transpose(const float* in, float* out, LoopNest<2> nest, std::size_t across, runtime::ThreadPool& pool) {
  constexpr std::int64_t kBlock = 16;
  const std::int64_t columns = nest.inner(), in_step = nest.strides[0].back();
  const std::int64_t rows = nest.extents[across], out_step = nest.strides[1][across];
  // The rest of the nest, with the innermost loop left out.
  nest.extents[across] = 1;
  nest.extents.back() = 1;
  const std::int64_t outer = elements_in(nest.extents), strips = (rows + kBlock - 1) / kBlock;
  const std::int64_t per_task = std::max<std::int64_t>(1, kGrain / (kBlock * columns));
  pool.parallel_ranges(outer * strips, per_task, [&](std::int64_t begin, std::int64_t end, int) {
    for (std::int64_t task = begin; task < end; ++task) {
      const RowWalk<2> walk(nest, task / strips);
      const std::int64_t first = task % strips * kBlock, last = std::min(rows, first + kBlock);
      const float* from = in + walk.offset(0);
      float* to = out + walk.offset(1);
      for (std::int64_t j = 0; j < columns; j += kBlock) {
        const std::int64_t stop = std::min(columns, j + kBlock);
        for (std::int64_t i = first; i < last; ++i) {
          for (std::int64_t c = j; c < stop; ++c) to[i * out_step + c] = from[c * in_step + i];
        }
      }
    }
  });
}

}  // namespace

void strided_copy(const float* in, Ints in_strides, float* out, Ints out_strides, ShapeView shape,
                  runtime::ThreadPool& pool) {
  if (elements_in(shape) <= 0) return;
  const LoopNest<2> nest = nest_of(in_strides, out_strides, shape);
  const std::int64_t in_step = nest.strides[0].back(), out_step = nest.strides[1].back();
  if (in_step != 1 && in_step != 0 && out_step == 1) {
    for (std::size_t k = 0; k + 1 < nest.extents.size(); ++k) {
      if (nest.strides[0][k] == 1) return blocked_transpose(in, out, nest, k, pool);
    }
  }
  for_rows(nest, kGrain, pool, [&](const RowWalk<2>& walk, std::int64_t first, std::int64_t n) {
    const float* from = in + walk.offset(0) + first * in_step;
    float* to = out + walk.offset(1) + first * out_step;
    if (in_step == 1 && out_step == 1) {
      std::copy_n(from, n, to);
    } else if (in_step == 0 && out_step == 1) {
      std::fill_n(to, n, *from);
    } else {
      for (std::int64_t i = 0; i < n; ++i) to[i * out_step] = from[i * in_step];
    }
  });
}

void tile(const float* in, ShapeView in_shape, float* out, ShapeView out_shape, runtime::ThreadPool& pool) {
  if (elements_in(in_shape) <= 0) return;
  const Strides from = row_major(in_shape), to = row_major(out_shape);
  std::vector<std::int64_t> shape;
  Strides in_strides, out_strides;
  for (std::size_t k = 0; k < in_shape.size(); ++k) {  // every axis is repetitions x extent
    shape.insert(shape.end(), {out_shape[k] / in_shape[k], in_shape[k]});
    in_strides.insert(in_strides.end(), {0, from[k]});
    out_strides.insert(out_strides.end(), {to[k] * in_shape[k], to[k]});
  }
  strided_copy(in, in_strides, out, out_strides, shape, pool);
}

void pad(const float* in, ShapeView in_shape, Ints before, PadMode mode, float value, float* out, ShapeView out_shape,
         runtime::ThreadPool& pool) {
  const std::int64_t size = elements_in(out_shape);
  if (size <= 0) return;
  const Strides from = row_major(in_shape), to = row_major(out_shape);
  if (mode == PadMode::constant) {
    pool.parallel_ranges(size, kGrain,
                         [&](std::int64_t begin, std::int64_t end, int) { std::fill(out + begin, out + end, value); });
    std::int64_t offset = 0;
    for (std::size_t k = 0; k < to.size(); ++k) offset += before[k] * to[k];
    strided_copy(in, from, out + offset, to, in_shape, pool);
    return;
  }
  // Per axis, the offset of the input that each output index reads.
  std::vector<std::vector<std::int64_t>> source(out_shape.size());
  for (std::size_t k = 0; k < out_shape.size(); ++k) {
    for (std::int64_t i = 0; i < out_shape[k]; ++i) {
      std::int64_t at = i - before[k];
      const std::int64_t last = in_shape[k] - 1;
      if (mode == PadMode::reflect) at = at < 0 ? -at : at > last ? 2 * last - at : at;
      source[k].push_back(std::clamp<std::int64_t>(at, 0, last) * from[k]);
    }
  }
  const std::int64_t width = out_shape.empty() ? 1 : out_shape.back();
  pool.parallel_ranges(size / width, std::max<std::int64_t>(1, kGrain / width),
                       [&](std::int64_t begin, std::int64_t end, int) {
                         for (std::int64_t row = begin; row < end; ++row) {
                           const float* x = in;
                           std::int64_t rest = row;
                           for (std::size_t k = out_shape.size() - 1; k-- > 0; rest /= out_shape[k]) {
                             x += source[k][static_cast<std::size_t>(rest % out_shape[k])];
                           }
                           float* y = out + row * width;
                           for (std::int64_t i = 0; i < width; ++i)
                             y[i] = x[source.back()[static_cast<std::size_t>(i)]];
                         }
                       });
}

}  // namespace anemone::cpu
