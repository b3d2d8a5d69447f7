// Matrix products against a plain loop in double, on every instruction set.
#include "anemone/runtime/cpu/gemm.h"

#include <gtest/gtest.h>

#include <cmath>

#include "anemone/runtime/cpu/gemm_tile.h"
#include "anemone/runtime/cpu/kernel_test_util.h"

namespace anemone::cpu {
namespace {

struct Case {
  std::int64_t m, k, n;
};
const std::vector<Case>& cases() {
  static const std::vector<Case> kCases = {{1, 1, 1},   {1, 17, 5},   {3, 4, 33},  {7, 64, 31},  {8, 5, 32},
                                           {13, 9, 65}, {64, 3, 100}, {97, 50, 2}, {2, 1000, 9}, {200, 33, 40}};
  return kCases;
}

void expect_product(const std::vector<float>& out, const Case& c, const float* a, bool ta, const float* b, bool tb,
                    const float* bias) {
  for (std::int64_t i = 0; i < c.m; ++i) {
    for (std::int64_t j = 0; j < c.n; ++j) {
      double sum = bias ? static_cast<double>(bias[j]) : 0, magnitude = std::fabs(sum);
      for (std::int64_t p = 0; p < c.k; ++p) {
        const double term = static_cast<double>(ta ? a[p * c.m + i] : a[i * c.k + p]) *
                            static_cast<double>(tb ? b[j * c.k + p] : b[p * c.n + j]);
        sum += term;
        magnitude += std::fabs(term);
      }
      ASSERT_NEAR(out[static_cast<std::size_t>(i * c.n + j)], sum,
                  std::ldexp(magnitude, -24) * (3 + std::sqrt(static_cast<double>(c.k))))
          << c.m << "x" << c.k << "x" << c.n << " at " << i << ", " << j;
    }
  }
}

TEST(Gemm, LinearOnEveryTarget) {
  runtime::ThreadPool pool(2);
  for_each_target([&] {
    for (const Case& c : cases()) {
      TestRandom random(static_cast<std::uint64_t>(c.m * c.k * c.n));
      const auto a = random.floats(c.m * c.k), b = random.floats(c.k * c.n), bias = random.floats(c.n);
      for (const bool transposed : {false, true}) {
        const PackedMatrix packed = pack_matrix(b.data(), c.k, c.n, transposed);
        std::vector<float> out(static_cast<std::size_t>(c.m * c.n));
        linear(a.data(), c.m, packed, bias.data(), out.data(), pool);
        expect_product(out, c, a.data(), false, b.data(), transposed, bias.data());
      }
    }
  });
}

TEST(Gemm, MatmulInAllFourOrders) {
  runtime::ThreadPool pool(2);
  for_each_target([&] {
    for (const Case& c : cases()) {
      TestRandom random(7);
      const auto a = random.floats(c.m * c.k), b = random.floats(c.k * c.n);
      for (const bool ta : {false, true}) {
        for (const bool tb : {false, true}) {
          std::vector<float> out(static_cast<std::size_t>(c.m * c.n));
          matmul({c.m, c.k, c.n, ta, tb}, a.data(), b.data(), out.data(), pool);
          expect_product(out, c, a.data(), ta, b.data(), tb, nullptr);
        }
      }
    }
  });
}

TEST(Gemm, BatchesWithASharedOperand) {
  runtime::ThreadPool pool(2);
  const Case c{5, 7, 35};
  TestRandom random(9);
  const auto a = random.floats(3 * c.m * c.k), b = random.floats(3 * c.k * c.n);
  for (const std::int64_t a_stride : {std::int64_t{0}, c.m * c.k}) {
    for (const std::int64_t b_stride : {std::int64_t{0}, c.k * c.n}) {
      std::vector<float> out(static_cast<std::size_t>(3 * c.m * c.n));
      matmul_batched({c.m, c.k, c.n}, 3, a.data(), a_stride, b.data(), b_stride, out.data(), pool);
      for (std::int64_t i = 0; i < 3; ++i) {
        const std::vector<float> part(out.begin() + i * c.m * c.n, out.begin() + (i + 1) * c.m * c.n);
        expect_product(part, c, a.data() + i * a_stride, false, b.data() + i * b_stride, false, nullptr);
      }
    }
  }
}

TEST(Gemm, ThreadsChangeNoBitAndZeroDepthGivesTheBias) {
  runtime::ThreadPool one(1), three(3);
  TestRandom random(5);
  const auto a = random.floats(50 * 70), b = random.floats(70 * 90);
  std::vector<float> first(50 * 90), second(50 * 90);
  matmul({50, 70, 90}, a.data(), b.data(), first.data(), one);
  matmul({50, 70, 90}, a.data(), b.data(), second.data(), three);
  EXPECT_TRUE(same_bits(first, second));

  const PackedMatrix empty = pack_matrix(nullptr, 0, 3, false);
  const std::vector<float> bias = {1, 2, 3};
  std::vector<float> out(6);
  linear(nullptr, 2, empty, bias.data(), out.data(), one);
  EXPECT_EQ(out, (std::vector<float>{1, 2, 3, 1, 2, 3}));
}

TEST(Gemm, RowPanelsAreEvenAndCoverAllRows) {
  for (std::int64_t limit : {6, 8}) {
    for (std::int64_t rows = 1; rows < 300; ++rows) {
      const RowPanels panels(rows, limit);
      std::int64_t next = 0;
      for (std::int64_t p = 0; p < panels.count; ++p) {
        ASSERT_EQ(panels.begin(p), next);
        ASSERT_LE(panels.size(p), limit);
        ASSERT_GE(panels.size(p), panels.size(0) - 1);
        next += panels.size(p);
      }
      ASSERT_EQ(next, rows);
      ASSERT_EQ(panels.count, (rows + limit - 1) / limit);
    }
  }
}

}  // namespace
}  // namespace anemone::cpu
