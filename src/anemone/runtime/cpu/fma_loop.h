#pragma once
// What the arithmetic units of one core can do at most: the ruler that kernels are held against.
#include <cstdint>

namespace anemone::cpu {

/// Multiplies and adds in registers alone, `rounds` times as many independent sums as the pipeline holds. Returns the
/// floating-point operations that were done, two for a multiply-add; `out` gets a number that depends on all of them.
double fma_loop(std::int64_t rounds, float* out);

}  // namespace anemone::cpu
