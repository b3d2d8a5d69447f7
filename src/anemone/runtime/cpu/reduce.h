#pragma once
// Reductions over any set of axes.
#include <cstdint>
#include <span>

#include "anemone/runtime/cpu/elementwise.h"

namespace anemone::cpu {

enum class Reduction : std::uint8_t { sum, mean, max, min, prod, l1_norm, l2_norm, sum_square, log_sum, log_sum_exp };

/// `axes`: each in [0, rank), without repetition; none = all of them. `out` has the extents that are not reduced, in
/// order (keep_dims changes nothing in memory). Sums and products are accumulated in double, with `half_sums` sums in
/// half: term after term in memory's order, what is summed (a square, an exponential) unrounded. NaN gives NaN.
void reduce(Reduction op, const float* in, ShapeView shape, std::span<const std::int64_t> axes, float* out,
            runtime::ThreadPool& pool, bool half_sums = false);

}  // namespace anemone::cpu
