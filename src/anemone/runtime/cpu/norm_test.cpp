// Normalisations and softmax against their definitions in double, on every instruction set.
#include "anemone/runtime/cpu/norm.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "anemone/runtime/cpu/kernel_test_util.h"

namespace anemone::cpu {
namespace {

// (x - mean) / sqrt(variance + epsilon), everything in double.
std::vector<double> normalised(const float* x, std::int64_t n, double epsilon) {
  double mean = 0, variance = 0;
  for (std::int64_t i = 0; i < n; ++i) mean += x[i];
  mean /= static_cast<double>(n);
  for (std::int64_t i = 0; i < n; ++i) variance += (x[i] - mean) * (x[i] - mean);
  variance /= static_cast<double>(n);
  std::vector<double> y;
  for (std::int64_t i = 0; i < n; ++i) y.push_back((x[i] - mean) / std::sqrt(variance + epsilon));
  return y;
}

TEST(InstanceNorm, OnEveryTarget) {
  runtime::ThreadPool pool(2);
  for_each_target([&] {
    for (const std::int64_t spatial : {1, 2, 15, 64, 67, 4096, 20011}) {
      for (const float offset : {0.0f, 1000.0f, 1e6f}) {  // a large mean must not eat the variance
        for (const bool affine : {false, true}) {
          const std::int64_t batch = 2, channels = 3;
          const auto in = TestRandom(static_cast<std::uint64_t>(spatial))
                              .floats(batch * channels * spatial, offset - 1, offset + 1);
          const auto gamma = TestRandom(1).floats(channels), beta = TestRandom(2).floats(channels);
          std::vector<float> out(in.size()), rectified = in;
          const float* g = affine ? gamma.data() : nullptr;
          const float* b = affine ? beta.data() : nullptr;
          instance_norm(in.data(), out.data(), batch, channels, spatial, g, b, 1e-5f, false, pool);
          instance_norm(rectified.data(), rectified.data(), batch, channels, spatial, g, b, 1e-5f, true, pool);
          for (std::int64_t plane = 0; plane < batch * channels; ++plane) {
            const auto expected = normalised(in.data() + plane * spatial, spatial, static_cast<double>(1e-5f));
            for (std::int64_t i = 0; i < spatial; ++i) {
              const auto k = static_cast<std::size_t>(plane * spatial + i),
                         c = static_cast<std::size_t>(plane % channels);
              double y = expected[static_cast<std::size_t>(i)];
              if (affine) y = y * gamma[c] + beta[c];
              ASSERT_NEAR(out[k], y, 6e-7) << spatial << " at " << i;
              ASSERT_EQ(rectified[k], std::max(0.0f, out[k]));
            }
          }
        }
      }
    }
  });
}

TEST(LayerNorm, OnEveryTarget) {
  runtime::ThreadPool pool(2);
  for_each_target([&] {
    for (const std::int64_t inner : {1, 7, 16, 33, 768}) {
      const std::int64_t outer = 9;
      const auto in = TestRandom(3).floats(outer * inner, 4, 6);
      const auto gamma = TestRandom(1).floats(inner), beta = TestRandom(2).floats(inner);
      std::vector<float> out(in.size()), plain(in.size());
      layer_norm(in.data(), out.data(), outer, inner, gamma.data(), beta.data(), 1e-5f, pool);
      layer_norm(in.data(), plain.data(), outer, inner, nullptr, nullptr, 1e-5f, pool);
      for (std::int64_t row = 0; row < outer; ++row) {
        const auto expected = normalised(in.data() + row * inner, inner, static_cast<double>(1e-5f));
        for (std::int64_t i = 0; i < inner; ++i) {
          const auto k = static_cast<std::size_t>(row * inner + i), c = static_cast<std::size_t>(i);
          ASSERT_NEAR(plain[k], expected[c], 6e-7);
          ASSERT_NEAR(out[k], expected[c] * gamma[c] + beta[c], 8e-7);
        }
      }
    }
  });
}

TEST(BatchNorm, AffineIsExactToARounding) {
  const float mean[] = {1.5f, -2}, variance[] = {4, 0.25f}, gamma[] = {3, 2}, beta[] = {1, -1};
  float scale[2], shift[2];
  batch_norm_affine(2, mean, variance, gamma, beta, 0.0f, scale, shift);
  EXPECT_EQ(scale[0], 1.5f);
  EXPECT_EQ(shift[0], -1.25f);
  EXPECT_EQ(scale[1], 4.0f);
  EXPECT_EQ(shift[1], 7.0f);
  batch_norm_affine(2, mean, variance, nullptr, nullptr, 0.0f, scale, shift);
  EXPECT_EQ(scale[0], 0.5f);
  EXPECT_EQ(shift[0], -0.75f);
}

TEST(Softmax, OnEveryTarget) {
  runtime::ThreadPool pool(2);
  struct Case {
    std::int64_t outer, axis, inner;
  };
  for_each_target([&] {
    for (const Case& c : {Case{3, 1, 1}, Case{5, 2, 1}, Case{4, 37, 1}, Case{2, 5000, 1}, Case{2, 2, 100},
                          Case{3, 150, 17}, Case{1, 7, 3}, Case{2, 3, 64}}) {
      const auto in = TestRandom(5).floats(c.outer * c.axis * c.inner, -30, 30);
      std::vector<float> out = in;
      softmax(out.data(), out.data(), c.outer, c.axis, c.inner, pool);
      for (std::int64_t o = 0; o < c.outer; ++o) {
        for (std::int64_t i = 0; i < c.inner; ++i) {
          const auto at = [&](std::int64_t k) { return static_cast<std::size_t>((o * c.axis + k) * c.inner + i); };
          double top = -INFINITY, sum = 0;
          for (std::int64_t k = 0; k < c.axis; ++k) top = std::max(top, static_cast<double>(in[at(k)]));
          for (std::int64_t k = 0; k < c.axis; ++k) sum += std::exp(in[at(k)] - top);
          for (std::int64_t k = 0; k < c.axis; ++k) {
            const double y = std::exp(in[at(k)] - top) / sum;
            // x - max is itself rounded, and the rounding grows with it.
            ASSERT_NEAR(out[at(k)], y, (5e-7 + (top - in[at(k)]) * 6e-8) * y + 1e-44) << c.axis << "x" << c.inner;
          }
        }
      }
    }
  });
}

TEST(Softmax, LargeInputsDoNotOverflow) {
  runtime::ThreadPool pool(1);
  for_each_target([&] {
    std::vector<float> x = {1e30f, 1e30f, -1e30f, 0};
    softmax(x.data(), x.data(), 1, 4, 1, pool);
    EXPECT_EQ(x, (std::vector<float>{0.5f, 0.5f, 0, 0}));
  });
}

TEST(Softmax, NaNSpoilsItsOwnSumOnly) {
  runtime::ThreadPool pool(1);
  for_each_target([&] {
    for (const std::size_t at : {std::size_t{0}, std::size_t{17}, std::size_t{36}}) {
      std::vector<float> x = TestRandom(1).floats(74);
      x[at] = std::nanf("");
      softmax(x.data(), x.data(), 2, 37, 1, pool);
      for (std::size_t i = 0; i < 74; ++i) ASSERT_EQ(std::isnan(x[i]), i < 37);
    }
  });
}

}  // namespace
}  // namespace anemone::cpu
