// Stages in order, with bounded queues, ended from both sides.
#include "anemone/runtime/background.h"

#include <gtest/gtest.h>

#include <atomic>

namespace anemone::runtime {
namespace {

TEST(BackgroundTest, HandsItemsOnInOrderAndBounded) {
  BoundedQueue<int> first(2), second(2);
  std::atomic<int> made{0}, taken{0};
  int most_ahead = 0;
  {
    const Background producer([&] {
      for (int i = 0; i < 1000 && first.push(i); ++i) ++made;
      first.close();
    });
    const Background middle([&] {
      while (auto item = first.pop()) {
        if (!second.push(2 * *item)) break;
      }
      first.close();
      second.close();
    });
    for (int wanted = 0; wanted < 1000; ++wanted) {
      const auto item = second.pop();
      ASSERT_TRUE(item);
      ASSERT_EQ(*item, 2 * wanted);
      most_ahead = std::max(most_ahead, made - ++taken);
    }
    EXPECT_FALSE(second.pop());
  }
  EXPECT_LE(most_ahead, 6) << "two queues of two, and one item in each hand";
}

TEST(BackgroundTest, AReaderThatStopsEndsTheWriter) {
  BoundedQueue<int> queue(1);
  int pushed = 0;
  {
    const Background producer([&] {
      while (queue.push(pushed)) ++pushed;
    });
    EXPECT_TRUE(queue.pop());
    queue.close();
  }
  EXPECT_LT(pushed, 5);
}

}  // namespace
}  // namespace anemone::runtime
