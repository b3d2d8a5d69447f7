#pragma once
// Nested loops over several strided operands, reduced to as few loops as their strides allow.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "anemone/runtime/base/thread_pool.h"

namespace anemone::cpu {

using Strides = std::vector<std::int64_t>;

inline Strides row_major(std::span<const std::int64_t> shape) {
  Strides strides(shape.size());
  std::int64_t step = 1;
  for (std::size_t k = shape.size(); k-- > 0; step *= shape[k]) strides[k] = step;
  return strides;
}

/// Strides of a row-major operand of `shape` inside `full`, right-aligned; 0 where it is repeated.
inline Strides broadcast_in(std::span<const std::int64_t> shape, std::span<const std::int64_t> full) {
  const Strides own = row_major(shape);
  Strides strides(full.size(), 0);
  const std::size_t shift = full.size() - shape.size();
  for (std::size_t k = 0; k < shape.size(); ++k) strides[k + shift] = shape[k] == 1 ? 0 : own[k];
  return strides;
}

inline std::int64_t elements_in(std::span<const std::int64_t> shape) {
  std::int64_t count = 1;
  for (const std::int64_t extent : shape) count *= extent;
  return count;
}

/// numpy's rule: right-aligned, extents equal or 1.
inline std::vector<std::int64_t> broadcast_shape(std::span<const std::int64_t> a, std::span<const std::int64_t> b) {
  std::vector<std::int64_t> shape(a.size() > b.size() ? a.size() : b.size(), 1);
  for (const auto& s : {a, b}) {
    for (std::size_t k = 0; k < s.size(); ++k) {
      if (s[k] != 1) shape[k + shape.size() - s.size()] = s[k];
    }
  }
  return shape;
}

template <std::size_t kOperands>
struct LoopNest {
  std::vector<std::int64_t> extents;
  std::array<Strides, kOperands> strides;

  /// Adjacent dimensions that every operand walks like one become one; extents of 1 go away. At least one is left.
  LoopNest(std::span<const std::int64_t> shape, const std::array<Strides, kOperands>& from) {
    for (std::size_t k = 0; k < shape.size(); ++k) {
      if (shape[k] == 1) continue;
      bool merges = !extents.empty();
      for (std::size_t o = 0; o < kOperands && merges; ++o) {
        merges = strides[o].back() == from[o][k] * shape[k];
      }
      if (merges) {
        extents.back() *= shape[k];
        for (std::size_t o = 0; o < kOperands; ++o) strides[o].back() = from[o][k];
      } else {
        extents.push_back(shape[k]);
        for (std::size_t o = 0; o < kOperands; ++o) strides[o].push_back(from[o][k]);
      }
    }
    if (extents.empty()) {
      extents.push_back(1);
      for (Strides& s : strides) s.push_back(0);
    }
  }

  std::int64_t inner() const { return extents.back(); }
  /// How often the innermost loop runs.
  std::int64_t rows() const {
    std::int64_t count = 1;
    for (std::size_t k = 0; k + 1 < extents.size(); ++k) count *= extents[k];
    return count;
  }
};

/// Walks rows [begin, ...) of a nest and keeps each operand's offset.
template <std::size_t kOperands>
class RowWalk {
 public:
  RowWalk(const LoopNest<kOperands>& nest, std::int64_t begin) : nest_(nest), index_(nest.extents.size() - 1) {
    for (std::size_t k = index_.size(); k-- > 0; begin /= nest.extents[k]) {
      index_[k] = begin % nest.extents[k];
      for (std::size_t o = 0; o < kOperands; ++o) offsets_[o] += index_[k] * nest.strides[o][k];
    }
  }
  std::int64_t offset(std::size_t operand) const { return offsets_[operand]; }
  void next() {
    for (std::size_t k = index_.size(); k-- > 0;) {
      for (std::size_t o = 0; o < kOperands; ++o) offsets_[o] += nest_.strides[o][k];
      if (++index_[k] < nest_.extents[k]) return;
      for (std::size_t o = 0; o < kOperands; ++o) offsets_[o] -= nest_.strides[o][k] * nest_.extents[k];
      index_[k] = 0;
    }
  }

 private:
  const LoopNest<kOperands>& nest_;
  std::vector<std::int64_t> index_;
  std::array<std::int64_t, kOperands> offsets_{};
};

/// Calls row(walk, first, n) so that every row of the nest is covered, elements [first, first + n) of it at a time:
/// several short rows a task of about `grain` elements, or a long row in parts.
template <std::size_t kOperands, class Row>
void for_rows(const LoopNest<kOperands>& nest, std::int64_t grain, runtime::ThreadPool& pool, Row row) {
  const std::int64_t inner = nest.inner(), rows = nest.rows();
  if (inner <= 0 || rows <= 0) return;
  const std::int64_t parts = (inner + grain - 1) / grain;
  const std::int64_t rows_per_task = parts > 1 ? 1 : std::max<std::int64_t>(1, grain / inner);
  const std::int64_t groups = (rows + rows_per_task - 1) / rows_per_task;
  pool.parallel_for(groups * parts, [&](std::int64_t task, int) {
    const std::int64_t part = task % parts, begin = task / parts * rows_per_task;
    const std::int64_t end = std::min(rows, begin + rows_per_task);
    const std::int64_t first = part * grain, n = std::min(grain, inner - first);
    RowWalk<kOperands> walk(nest, begin);
    for (std::int64_t r = begin; r < end; ++r, walk.next()) row(walk, first, n);
  });
}

}  // namespace anemone::cpu
