// Convolution against a plain loop in double, on every instruction set.
#include "anemone/runtime/cpu/conv.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include <bench/cases/conv_cases.h>
#include "anemone/runtime/cpu/kernel_test_util.h"
#include "anemone/support/half.h"

namespace anemone::cpu {
namespace {

struct Tensors {
  std::vector<float> weights, bias, in;
  std::int64_t out_height, out_width, out_size;

  explicit Tensors(const ConvCase& c) {
    TestRandom random(static_cast<std::uint64_t>(c.params.macs(c.height, c.width)));
    const ConvParams& p = c.params;
    weights = random.floats(p.out_channels * (p.in_channels / p.groups) * p.kernel_height * p.kernel_width);
    bias = random.floats(p.out_channels);
    in = random.floats(c.batch * p.in_channels * c.height * c.width);
    out_height = p.out_height(c.height);
    out_width = p.out_width(c.width);
    out_size = c.batch * p.out_channels * out_height * out_width;
  }
};

struct Sum {
  double value, magnitude;  // sum w*x + bias, sum |w*x| + |bias|
  std::int64_t terms;
};

Sum sum_at(const ConvCase& c, const Tensors& t, std::int64_t index) {
  const ConvParams& p = c.params;
  const std::int64_t x = index % t.out_width, y = index / t.out_width % t.out_height;
  const std::int64_t o = index / (t.out_width * t.out_height) % p.out_channels;
  const std::int64_t n = index / (t.out_width * t.out_height * p.out_channels);
  const std::int64_t channels = p.in_channels / p.groups, group = o / (p.out_channels / p.groups);
  const double bias = t.bias[static_cast<std::size_t>(o)];
  Sum sum{bias, std::fabs(bias), channels * p.kernel_height * p.kernel_width};
  for (std::int64_t i = 0; i < channels; ++i) {
    for (std::int64_t ky = 0; ky < p.kernel_height; ++ky) {
      for (std::int64_t kx = 0; kx < p.kernel_width; ++kx) {
        const std::int64_t iy = y * p.stride_height - p.pad_top + ky * p.dilation_height;
        const std::int64_t ix = x * p.stride_width - p.pad_left + kx * p.dilation_width;
        if (iy < 0 || iy >= c.height || ix < 0 || ix >= c.width) continue;
        const std::int64_t w = ((o * channels + i) * p.kernel_height + ky) * p.kernel_width + kx;
        const std::int64_t v = ((n * p.in_channels + group * channels + i) * c.height + iy) * c.width + ix;
        const double term =
            static_cast<double>(t.weights[static_cast<std::size_t>(w)]) * t.in[static_cast<std::size_t>(v)];
        sum.value += term;
        sum.magnitude += std::fabs(term);
      }
    }
  }
  return sum;
}

// 2^-24 a step, growing like a random walk; three more steps for the bias and short sums.
double tolerance(const Sum& sum) {
  return std::ldexp(sum.magnitude, -24) * (3 + std::sqrt(static_cast<double>(sum.terms)));
}

std::vector<float> run(const ConvCase& c, const Tensors& t, const PackedConv& packed, runtime::ThreadPool& pool,
                       const Epilogue& epilogue = {}) {
  std::vector<float> out(static_cast<std::size_t>(t.out_size), -77.0f);
  conv2d(packed, t.in.data(), c.batch, c.height, c.width, out.data(), pool, epilogue);
  return out;
}

void check(const ConvCase& c, runtime::ThreadPool& pool, std::int64_t samples, ConvAlgorithm algorithm) {
  SCOPED_TRACE(c.name);
  const Tensors t(c);
  const PackedConv packed = pack_conv(c.params, t.weights.data(), t.bias.data(), algorithm);
  const std::vector<float> out = run(c, t, packed, pool);
  const std::int64_t step = std::max<std::int64_t>(1, t.out_size / samples);
  for (std::int64_t i = 0; i < t.out_size; i += step) {
    const Sum sum = sum_at(c, t, i);
    ASSERT_NEAR(out[static_cast<std::size_t>(i)], sum.value, tolerance(sum)) << "output " << i << " of " << t.out_size;
  }
}

TEST(Conv, OddShapesOnEveryTarget) {
  runtime::ThreadPool pool(2);
  for_each_target([&] {
    for (const ConvCase& c : odd_conv_cases()) {
      check(c, pool, 1 << 20, ConvAlgorithm::gemm);
      check(c, pool, 1 << 20, ConvAlgorithm::depthwise);  // falls back to gemm where it does not apply
    }
  });
}

TEST(Conv, SamplesOfNetworkShapesOnEveryTarget) {
  runtime::ThreadPool pool(2);
  std::vector<ConvCase> cases = star_conv_cases();
  for (ConvCase& c : mobile_conv_cases()) cases.push_back(std::move(c));
  for_each_target([&] {
    for (const ConvCase& c : cases) {
      // Slow targets and instrumented builds would need minutes for the large ones.
      if (c.params.macs(c.height, c.width) > 40'000'000) continue;
      check(c, pool, 150, c.params.groups > 1 ? ConvAlgorithm::depthwise : ConvAlgorithm::gemm);
    }
  });
}

/// What the sums of a Winograd tile round at: the largest of its outputs' magnitudes, and ten times a direct sum's steps.
TEST(Conv, WinogradOnEveryTarget) {
  runtime::ThreadPool pool(2);
  struct Size {
    std::int64_t in, out, height, width, batch;
  };
  for_each_target([&] {
    // Whole tiles and not, several rows of tiles in a block, parts of one, more outputs than a group of panels.
    for (const Size& s : {Size{5, 13, 8, 8, 2}, Size{3, 40, 13, 21, 1}, Size{16, 16, 32, 32, 1}, Size{4, 70, 9, 150, 1},
                          Size{32, 9, 40, 40, 1}, Size{1, 1, 1, 1, 1}}) {
      for (std::int64_t pad : {0, 1}) {
        if (s.height + 2 * pad < 3) continue;
        ConvCase c{"winograd", square_conv(s.in, s.out, 3), s.batch, s.height, s.width};
        c.params.pad_top = c.params.pad_bottom = c.params.pad_left = c.params.pad_right = pad;
        c.params.pad_left += pad;  // not the same on both sides
        const Tensors t(c);
        const PackedConv packed = pack_conv(c.params, t.weights.data(), t.bias.data(), ConvAlgorithm::winograd);
        ASSERT_EQ(packed.form.algorithm, ConvAlgorithm::winograd);
        const std::vector<float> out = run(c, t, packed, pool);
        double worst = 0;
        for (std::int64_t i = 0; i < t.out_size; ++i) {
          const Sum sum = sum_at(c, t, i);
          worst = std::max(worst, std::fabs(out[static_cast<std::size_t>(i)] - sum.value) / (10 * tolerance(sum)));
        }
        EXPECT_LE(worst, 1) << s.in << " to " << s.out << " at " << s.height << "x" << s.width << ", pad " << pad;
      }
    }
  });
}

TEST(Conv, WinogradDoesWhatGemmDoes) {
  // Prologue, addition and activation, and the same bits with any number of threads.
  runtime::ThreadPool one(1), three(3);
  const ConvCase c{"3x3", square_conv(12, 37, 3), 2, 30, 22};
  const Tensors t(c);
  std::vector<float> scale = TestRandom(1).floats(12), shift = TestRandom(2).floats(12),
                     add = TestRandom(3).floats(t.out_size);
  const Prologue prologue{scale.data(), shift.data(), true};
  Epilogue epilogue{.add = add.data(), .activation = Activation::clip, .alpha = -1, .beta = 2};
  const auto with = [&](ConvAlgorithm algorithm, runtime::ThreadPool& pool) {
    const PackedConv packed = pack_conv(c.params, t.weights.data(), t.bias.data(), algorithm);
    std::vector<float> out(static_cast<std::size_t>(t.out_size));
    conv2d(packed, t.in.data(), c.batch, c.height, c.width, out.data(), pool, epilogue, prologue);
    return out;
  };
  const std::vector<float> want = with(ConvAlgorithm::gemm, one), got = with(ConvAlgorithm::winograd, one);
  for (std::size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], want[i], 2e-5);
  EXPECT_TRUE(same_bits(got, with(ConvAlgorithm::winograd, three)));
}

TEST(Conv, ThreadsChangeNoBit) {
  runtime::ThreadPool one(1), three(3);
  for (const ConvCase& c : odd_conv_cases()) {
    const Tensors t(c);
    const PackedConv packed = pack_conv(c.params, t.weights.data(), t.bias.data());
    ASSERT_TRUE(same_bits(run(c, t, packed, one), run(c, t, packed, three))) << c.name;
  }
}

TEST(Conv, WeightsPackedForOneTargetRunOnAll) {
  runtime::ThreadPool pool(1);
  const ConvCase c{"3x3", square_conv(5, 13, 3), 1, 9, 35, 1};
  const Tensors t(c);
  const PackedConv packed = pack_conv(c.params, t.weights.data(), t.bias.data());
  for_each_target([&] {
    const std::vector<float> out = run(c, t, packed, pool);
    for (std::int64_t i = 0; i < t.out_size; ++i) {
      const Sum sum = sum_at(c, t, i);
      ASSERT_NEAR(out[static_cast<std::size_t>(i)], sum.value, tolerance(sum));
    }
  });
}

// A fused epilogue gives the bits of the separate steps, also in place.
TEST(Conv, EpiloguesEqualTheirSteps) {
  runtime::ThreadPool pool(2);
  for_each_target([&] {
    for (const ConvCase& c : {ConvCase{"gemm", square_conv(4, 9, 3), 2, 5, 37, 1},
                              ConvCase{"depthwise", square_conv(4, 4, 3, 1, 4), 2, 5, 37, 1}}) {
      SCOPED_TRACE(c.name);
      const Tensors t(c);
      const PackedConv packed = pack_conv(c.params, t.weights.data(), t.bias.data());
      const std::vector<float> plain = run(c, t, packed, pool);
      const std::vector<float> residual = TestRandom(3).floats(t.out_size);
      for (const Activation activation :
           {Activation::none, Activation::relu, Activation::leaky_relu, Activation::clip}) {
        for (const bool half : {false, true}) {
          for (const bool with_add : {false, true}) {
            const auto round = [&](float x) { return half ? round_to_half(x) : x; };
            std::vector<float> expected = plain;
            for (std::size_t i = 0; i < expected.size(); ++i) {
              float x = round(expected[i]);
              if (with_add) x = round(x + residual[i]);
              if (activation == Activation::relu) x = x < 0 ? 0 : x;
              if (activation == Activation::leaky_relu) x = x < 0 ? 0.1f * x : x;
              if (activation == Activation::clip) x = std::min(std::max(x, 0.1f), 0.7f);
              expected[i] = round(x);
            }
            const float alpha = 0.1f, beta = 0.7f;
            std::vector<float> out = residual;
            const Epilogue epilogue{with_add ? out.data() : nullptr, activation, alpha, beta, half};
            conv2d(packed, t.in.data(), c.batch, c.height, c.width, out.data(), pool, epilogue);
            ASSERT_TRUE(same_bits(out, expected)) << static_cast<int>(activation) << half << with_add;
          }
        }
      }
    }
  });
}

TEST(Conv, ProloguesActOnTheInputAndNotOnThePadding) {
  runtime::ThreadPool pool(2);
  for_each_target([&] {
    for (ConvCase c : odd_conv_cases()) {
      SCOPED_TRACE(c.name);
      Tensors t(c);
      const std::vector<float> scale = TestRandom(1).floats(c.params.in_channels),
                               shift = TestRandom(2).floats(c.params.in_channels);
      const PackedConv packed = pack_conv(c.params, t.weights.data(), t.bias.data());
      std::vector<float> out(static_cast<std::size_t>(t.out_size));
      conv2d(packed, t.in.data(), c.batch, c.height, c.width, out.data(), pool, {}, {scale.data(), shift.data(), true});
      for (std::size_t i = 0; i < t.in.size(); ++i) {
        const std::size_t channel =
            i / static_cast<std::size_t>(c.height * c.width) % static_cast<std::size_t>(c.params.in_channels);
        t.in[i] = std::max(0.0f, t.in[i] * scale[channel] + shift[channel]);
      }
      for (std::int64_t i = 0; i < t.out_size; ++i) {
        const Sum sum = sum_at(c, t, i);
        // The prologue itself may round once more or less than the line above.
        ASSERT_NEAR(out[static_cast<std::size_t>(i)], sum.value,
                    tolerance(sum) + 1e-7 * static_cast<double>(sum.terms));
      }
    }
  });
}

TEST(Conv, NothingToDo) {
  runtime::ThreadPool pool(2);
  const ConvParams p = square_conv(1, 1, 5);  // 5x5, pads 2
  const std::vector<float> weights(25, 1.0f);
  const PackedConv packed = pack_conv(p, weights.data(), nullptr);
  float out = -1;
  conv2d(packed, nullptr, 1, 0, 0, &out, pool);
  EXPECT_EQ(p.out_height(0), 0);
  EXPECT_EQ(out, -1);
}

TEST(Conv, NaNReachesItsOutputsOnly) {
  runtime::ThreadPool pool(1);
  for_each_target([&] {
    const ConvParams p = square_conv(1, 1, 3);
    const std::vector<float> weights(9, 1.0f);
    const PackedConv packed = pack_conv(p, weights.data(), nullptr);
    std::vector<float> in(64, 1.0f), out(64);
    in[0] = std::nanf("");
    conv2d(packed, in.data(), 1, 8, 8, out.data(), pool, {nullptr, Activation::relu, 0, 0, false});
    EXPECT_TRUE(std::isnan(out[0]) && std::isnan(out[9]));
    EXPECT_EQ(out[2], 6.0f);
    EXPECT_EQ(out[63], 4.0f);
  });
}

}  // namespace
}  // namespace anemone::cpu
