#pragma once
// Gives buffers that are not alive at the same time the same memory.
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace anemone::runtime {

/// A buffer that is written at step `first` and read for the last time at step `last` (both included).
struct Lifetime {
  std::size_t bytes = 0;
  int first = 0, last = 0;
};

struct MemoryPlan {
  std::vector<std::size_t> offsets;  ///< of each buffer, in bytes; multiples of kAlignment
  std::size_t bytes = 0;             ///< of the whole arena
  static constexpr std::size_t kAlignment = 64;
};

/// Greedy best fit, largest buffer first: each goes into the smallest gap between the buffers that share a step with
/// it. Nothing when the sum of all sizes does not fit a size_t.
std::optional<MemoryPlan> plan_memory(std::span<const Lifetime> buffers);

}  // namespace anemone::runtime
