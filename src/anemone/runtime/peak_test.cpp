// The ruler: more than any kernel reaches, and not far more than a large product does.
#include "anemone/runtime/peak.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "anemone/runtime/cpu/fma_loop.h"
#include "anemone/runtime/cpu/gemm.h"

namespace anemone::runtime {
namespace {

TEST(Peak, CountsEveryOperation) {
  float once = 0, twice = 0;
  const double operations = cpu::fma_loop(1000, &once);
  EXPECT_EQ(cpu::fma_loop(2000, &twice), 2 * operations);
  EXPECT_GE(operations, 1000.0 * 12 * 2);
  EXPECT_NE(once, twice);  // the sums move towards 1, so the loop was not left out
  EXPECT_GT(twice, 0);
}

// 2 m k n operations: the best of many tries on one thread lies below the peak of one thread.
TEST(Peak, IsAboveALargeProduct) {
  constexpr std::int64_t kSide = 256;
  ThreadPool pool(1);
  const std::vector<float> a(kSide * kSide, 0.5f), b(kSide * kSide, 0.25f);
  std::vector<float> out(kSide * kSide);
  const cpu::PackedMatrix packed = cpu::pack_matrix(b.data(), kSide, kSide, false);
  double peak = 0, product = 0;
  for (int attempt = 0; attempt < 5; ++attempt) {
    peak = std::max(peak, peak_gflops(pool));
    for (int i = 0; i < 20; ++i) {
      const auto start = std::chrono::steady_clock::now();
      cpu::linear(a.data(), kSide, packed, nullptr, out.data(), pool);
      const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
      product = std::max(product, 2.0 * kSide * kSide * kSide / seconds.count() / 1e9);
    }
  }
  EXPECT_FLOAT_EQ(out[0], 0.125f * kSide);
  EXPECT_LT(product, 1.05 * peak);  // five per cent: a clock that changes between the two
  EXPECT_GT(product, 0.2 * peak);
}

}  // namespace
}  // namespace anemone::runtime
