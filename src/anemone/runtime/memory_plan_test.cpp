// No two buffers that live at the same time may share a byte, and memory is reused where they do not.
#include "anemone/runtime/memory_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>

namespace anemone::runtime {
namespace {

std::size_t peak(const std::vector<Lifetime>& buffers, int steps) {
  std::size_t highest = 0;
  for (int step = 0; step < steps; ++step) {
    std::size_t sum = 0;
    for (const Lifetime& b : buffers) sum += b.first <= step && step <= b.last ? b.bytes : 0;
    highest = std::max(highest, sum);
  }
  return highest;
}

TEST(MemoryPlan, LiveBuffersNeverOverlap) {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    const int count = static_cast<int>(random() % 60), steps = 1 + static_cast<int>(random() % 40);
    std::vector<Lifetime> buffers;
    for (int i = 0; i < count; ++i) {
      const int first = static_cast<int>(random() % static_cast<unsigned>(steps));
      const int last = std::min(steps - 1, first + static_cast<int>(random() % 8));
      buffers.push_back({random() % 5000, first, last});
    }
    const auto plan = plan_memory(buffers);
    ASSERT_TRUE(plan);
    ASSERT_EQ(plan->offsets.size(), buffers.size());
    for (std::size_t i = 0; i < buffers.size(); ++i) {
      ASSERT_EQ(plan->offsets[i] % MemoryPlan::kAlignment, 0u);
      ASSERT_LE(plan->offsets[i] + buffers[i].bytes, plan->bytes);
      for (std::size_t j = 0; j < i; ++j) {
        const bool together = buffers[i].first <= buffers[j].last && buffers[j].first <= buffers[i].last;
        if (!together || buffers[i].bytes == 0 || buffers[j].bytes == 0) continue;
        ASSERT_TRUE(plan->offsets[i] + buffers[i].bytes <= plan->offsets[j] ||
                    plan->offsets[j] + buffers[j].bytes <= plan->offsets[i])
            << "buffers " << i << " and " << j << " in round " << round;
      }
    }
    std::size_t slack = 0;
    for (const Lifetime& b : buffers) slack += b.bytes / 2 + MemoryPlan::kAlignment;
    EXPECT_LE(plan->bytes, peak(buffers, steps) + slack);
  }
}

TEST(MemoryPlan, AChainNeedsTwoBuffers) {
  std::vector<Lifetime> chain;
  for (int i = 0; i < 100; ++i) chain.push_back({640, i, i + 1});
  EXPECT_EQ(plan_memory(chain)->bytes, 1280u);
}

TEST(MemoryPlan, TakesTheSmallestGap) {
  // After step 0 the walls leave gaps of 640 and 320 bytes; the small buffer belongs into the small gap.
  const std::vector<Lifetime> buffers{{1280, 0, 9}, {640, 0, 0}, {576, 0, 9}, {320, 0, 0}, {256, 0, 9}, {200, 1, 9}};
  const auto plan = plan_memory(buffers);
  EXPECT_EQ(plan->bytes, 1280u + 640 + 576 + 320 + 256);
  EXPECT_EQ(plan->offsets[5], plan->offsets[3]);
}

TEST(MemoryPlan, RefusesSumsThatOverflow) {
  const std::size_t half = std::numeric_limits<std::size_t>::max() / 2;
  EXPECT_FALSE(plan_memory(std::vector<Lifetime>{{half, 0, 0}}));
  EXPECT_FALSE(plan_memory(std::vector<Lifetime>{{half / 2, 0, 0}, {half / 2, 1, 1}, {1, 2, 2}}));
  EXPECT_TRUE(plan_memory({}));
}

}  // namespace
}  // namespace anemone::runtime
