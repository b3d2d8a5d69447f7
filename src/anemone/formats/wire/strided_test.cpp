// Views gathered into row-major order, against the definition.
#include "anemone/formats/wire/strided.h"

#include <gtest/gtest.h>

#include <cstring>
#include <numeric>
#include <random>

namespace anemone::formats {
namespace {

using Numbers = std::vector<std::int64_t>;

TEST(Strided, ContiguousStridesCountEmptyExtentsAsOne) {
  EXPECT_EQ(contiguous_strides(Numbers{2, 3, 4}), (Numbers{12, 4, 1}));
  EXPECT_EQ(contiguous_strides(Numbers{2, 0, 5}), (Numbers{5, 5, 1}));
  EXPECT_EQ(contiguous_strides(Numbers{}), Numbers{});
}

TEST(Strided, RowMajorIgnoresExtentsOfOneAndEmptyViews) {
  EXPECT_TRUE(is_row_major(Numbers{2, 3}, Numbers{3, 1}));
  EXPECT_TRUE(is_row_major(Numbers{}, Numbers{}));
  EXPECT_TRUE(is_row_major(Numbers{1, 3}, Numbers{99, 1}));
  EXPECT_TRUE(is_row_major(Numbers{0, 3}, Numbers{7, 7}));
  EXPECT_FALSE(is_row_major(Numbers{3, 2}, Numbers{1, 3}));
  EXPECT_FALSE(is_row_major(Numbers{4}, Numbers{0}));
  EXPECT_FALSE(is_row_major(Numbers{2, 3}, Numbers{4, 1}));
}

TEST(Strided, GatherFollowsTheDefinition) {
  std::mt19937 random(3);
  std::vector<std::byte> source(1 << 14);
  for (std::size_t i = 0; i < source.size(); ++i) source[i] = static_cast<std::byte>(random());
  for (int round = 0; round < 500; ++round) {
    const std::size_t element = std::size_t{1} << (random() % 5);
    const auto available = static_cast<std::int64_t>(source.size() / element);
    Numbers shape, stride;
    std::int64_t last = 0, count = 1;
    for (std::size_t d = random() % 5; d > 0; --d) {
      shape.push_back(static_cast<std::int64_t>(random() % 5));
      stride.push_back(static_cast<std::int64_t>(random() % 20));
      count *= shape.back();
      last += std::max<std::int64_t>(shape.back() - 1, 0) * stride.back();
    }
    if (round % 3 == 0) stride = contiguous_strides(shape), last = std::max<std::int64_t>(count - 1, 0);
    ASSERT_LT(last, available);
    const std::int64_t offset = static_cast<std::int64_t>(random()) % (available - last);
    const auto got = gather_row_major(source, element, offset, shape, stride);
    ASSERT_EQ(got.size(), static_cast<std::size_t>(count) * element);
    for (std::int64_t i = 0; i < count; ++i) {
      std::int64_t rest = i, at = offset;
      for (std::size_t d = shape.size(); d-- > 0;) at += rest % shape[d] * stride[d], rest /= shape[d];
      ASSERT_EQ(std::memcmp(got.data() + static_cast<std::size_t>(i) * element,
                            source.data() + static_cast<std::size_t>(at) * element, element),
                0);
    }
  }
}

}  // namespace
}  // namespace anemone::formats
