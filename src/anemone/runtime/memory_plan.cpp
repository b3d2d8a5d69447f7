// Largest first is the order that leaves the small buffers to fill the gaps.
#include "anemone/runtime/memory_plan.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace anemone::runtime {
namespace {

struct Placed {
  std::size_t begin, end;
  int first, last;
};

/// The smallest gap of at least `size` bytes between `taken` (ordered by begin), or the end of them all.
std::size_t best_gap(const std::vector<Placed>& taken, std::size_t size) {
  std::size_t end = 0, best = 0, best_size = std::numeric_limits<std::size_t>::max();
  for (const Placed& p : taken) {
    if (p.begin > end && p.begin - end >= size && p.begin - end < best_size) {
      best = end;
      best_size = p.begin - end;
    }
    end = std::max(end, p.end);
  }
  return best_size == std::numeric_limits<std::size_t>::max() ? end : best;
}

}  // namespace

std::optional<MemoryPlan> plan_memory(std::span<const Lifetime> buffers) {
  constexpr std::size_t kMax = std::numeric_limits<std::size_t>::max() / 2;
  std::size_t sum = 0;
  for (const Lifetime& b : buffers) {
    if (b.bytes > kMax - MemoryPlan::kAlignment || sum > kMax - b.bytes - MemoryPlan::kAlignment) return std::nullopt;
    sum += b.bytes + MemoryPlan::kAlignment;
  }
  std::vector<std::size_t> order(buffers.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return buffers[a].bytes > buffers[b].bytes; });
  MemoryPlan plan;
  plan.offsets.resize(buffers.size());
  std::vector<Placed> placed, taken;  // both ordered by begin
  for (std::size_t index : order) {
    const Lifetime& b = buffers[index];
    const std::size_t size = (b.bytes + MemoryPlan::kAlignment - 1) / MemoryPlan::kAlignment * MemoryPlan::kAlignment;
    if (size == 0) continue;
    taken.clear();
    for (const Placed& p : placed) {
      if (p.first <= b.last && b.first <= p.last) taken.push_back(p);
    }
    const Placed at{best_gap(taken, size), 0, b.first, b.last};
    plan.offsets[index] = at.begin;
    plan.bytes = std::max(plan.bytes, at.begin + size);
    const auto after = std::upper_bound(placed.begin(), placed.end(), at.begin,
                                        [](std::size_t begin, const Placed& p) { return begin < p.begin; });
    placed.insert(after, Placed{at.begin, at.begin + size, at.first, at.last});
  }
  return plan;
}

}  // namespace anemone::runtime
