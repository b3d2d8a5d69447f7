// What is counted in weights, on bits whose counts are known.
#include "anemone/plan/ane/weights.h"

#include <gtest/gtest.h>

#include <vector>

namespace anemone::plan::ane {
namespace {

constexpr std::uint16_t kZero = 0, kMinusZero = 0x8000, kSmallest = 1, kLargestSubnormal = 0x83ff,
                        kSmallestNormal = 0x400, kOne = 0x3c00, kMinusTwo = 0xc000;

TEST(Weights, ShareOfSubnormals) {
  EXPECT_EQ(subnormal_share({}), 0);
  const std::uint16_t zeros[] = {kZero, kMinusZero};
  EXPECT_EQ(subnormal_share(zeros), 0);
  const std::uint16_t mixed[] = {kZero, kSmallest, kLargestSubnormal, kSmallestNormal,
                                 kOne,  kMinusTwo, kMinusZero,        kOne};
  EXPECT_DOUBLE_EQ(subnormal_share(mixed), 2.0 / 6);
  std::vector<std::uint16_t> many(200'000, kSmallest);  // more than a narrow counter holds
  many.insert(many.end(), 100'000, kMinusTwo);
  EXPECT_DOUBLE_EQ(subnormal_share(many), 2.0 / 3);
}

TEST(Weights, LargestRow) {
  std::vector<std::uint16_t> rows(3 * 37, kOne);
  rows[40] = kMinusTwo;
  EXPECT_EQ(largest_row(rows, 3), 38);
  EXPECT_EQ(largest_row({}, 3), 0);
}

}  // namespace
}  // namespace anemone::plan::ane
