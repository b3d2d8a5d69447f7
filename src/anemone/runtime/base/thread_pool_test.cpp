// The pool runs every task exactly once, for any number of threads, and survives many short loops.
#include "anemone/runtime/base/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

namespace anemone::runtime {
namespace {

TEST(ThreadPool, EveryIndexOnceWithAValidWorker) {
  for (int threads : {1, 2, 3, 8}) {
    ThreadPool pool(threads);
    ASSERT_EQ(pool.threads(), threads);
    for (std::int64_t count : {0, 1, 2, 7, 1000}) {
      std::vector<std::atomic<int>> hits(static_cast<std::size_t>(count));
      std::atomic<bool> bad_worker{false};
      pool.parallel_for(count, [&](std::int64_t index, int worker) {
        hits[static_cast<std::size_t>(index)].fetch_add(1);
        if (worker < 0 || worker >= threads) bad_worker = true;
      });
      for (const auto& hit : hits) ASSERT_EQ(hit.load(), 1);
      ASSERT_FALSE(bad_worker);
    }
  }
}

TEST(ThreadPool, MoreTasksThanTheCounterHolds) {
  ThreadPool pool(2);
  const std::int64_t count = (std::int64_t{1} << 20) + 12345;
  std::vector<std::uint8_t> hits(static_cast<std::size_t>(count));
  pool.parallel_for(count, [&](std::int64_t index, int) { ++hits[static_cast<std::size_t>(index)]; });
  for (std::uint8_t hit : hits) ASSERT_EQ(hit, 1);
}

TEST(ThreadPool, ManyShortLoopsSeeEachOthersWrites) {
  ThreadPool pool(3);
  std::atomic<bool> helped{false};
  std::vector<int> values(5, 0);  // plain ints: a missing fence or a task run twice shows as a wrong sum
  // On a busy machine the workers may need a while to take part at all.
  const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  int rounds = 0;
  for (; rounds < 20000 || (!helped && std::chrono::steady_clock::now() < patience); ++rounds) {
    pool.parallel_for(5, [&](std::int64_t index, int worker) {
      values[static_cast<std::size_t>(index)] += 1;
      if (worker != 0) helped.store(true, std::memory_order_relaxed);
      for (volatile int delay = 0; delay < 100;) delay = delay + 1;  // leave something to claim for the others
    });
  }
  for (int value : values) EXPECT_EQ(value, rounds);
  EXPECT_TRUE(helped);
}

TEST(ThreadPool, WakesAfterBothSidesSlept) {
  ThreadPool pool(2);
  for (int round = 0; round < 5; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));  // workers are asleep now
    std::atomic<int> sum{0};
    pool.parallel_for(2, [&](std::int64_t, int) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));  // long enough for the caller to sleep too
      sum.fetch_add(1);
    });
    ASSERT_EQ(sum.load(), 2);
  }
}

TEST(ThreadPool, RangesCoverEverythingAndDoNotDependOnThreads) {
  for (int threads : {1, 4}) {
    ThreadPool pool(threads);
    std::vector<std::int64_t> begins(4, -1);
    std::atomic<std::int64_t> total{0};
    pool.parallel_ranges(103, 30, [&](std::int64_t begin, std::int64_t end, int) {
      begins[static_cast<std::size_t>(begin / 30)] = begin;
      total += end - begin;
    });
    EXPECT_EQ(total.load(), 103);
    EXPECT_EQ(begins, (std::vector<std::int64_t>{0, 30, 60, 90}));
  }
}

TEST(ThreadPool, ScratchIsPerWorkerAndAligned) {
  ThreadPool pool(3);
  pool.reserve_scratch(1000);
  pool.reserve_scratch(10);  // never shrinks
  for (int worker = 0; worker < 3; ++worker) {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(pool.scratch(worker)) % FloatBuffer::kAlignment, 0u);
    pool.scratch(worker)[999] = static_cast<float>(worker);
  }
  for (int worker = 0; worker < 3; ++worker) EXPECT_EQ(pool.scratch(worker)[999], static_cast<float>(worker));
}

}  // namespace
}  // namespace anemone::runtime
