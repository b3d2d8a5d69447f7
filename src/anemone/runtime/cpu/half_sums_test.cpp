// The same halves as a loop that rounds after every term, on every instruction set.
#include "anemone/runtime/cpu/half_sums.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "anemone/runtime/cpu/targets.h"
#include "anemone/support/half.h"

namespace anemone::cpu {

// Of one number: support/half.h; of many: this folder.
using anemone::float_from_half;
using anemone::half_from_float;
using anemone::round_to_half;

namespace {

std::vector<float> halves(std::int64_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> uniform(-2, 2);
  std::vector<float> out(static_cast<std::size_t>(count));
  for (float& x : out) x = round_to_half(uniform(random));
  return out;
}

float at(const std::vector<float>& data, std::int64_t index) { return data[static_cast<std::size_t>(index)]; }

TEST(HalfSums, ConvolutionRoundsAfterEveryTerm) {
  runtime::ThreadPool pool(2);
  ConvParams p;
  p.in_channels = 4;
  p.out_channels = 6;
  p.groups = 2;
  p.kernel_height = 3;
  p.kernel_width = 2;
  p.stride_height = 2;
  p.pad_top = p.pad_left = p.pad_right = 1;
  p.dilation_width = 2;
  for (std::int64_t stride : {1, 2}) {
    p.stride_width = stride;
    const std::int64_t height = 7, width = 45, rows = p.out_height(height), columns = p.out_width(width);
    const auto in = halves(4 * height * width, 1), weights = halves(6 * 2 * 6, 2), bias = halves(6, 3);
    for (const CpuTarget& target : available_targets()) {
      SCOPED_TRACE(target.name);
      use_target(target.id);
      std::vector<float> out(static_cast<std::size_t>(6 * rows * columns));
      conv2d_half_sums(p, weights.data(), bias.data(), in.data(), 1, height, width, out.data(), pool);
      for (std::int64_t o = 0; o < 6 * rows * columns; ++o) {
        const std::int64_t channel = o / (rows * columns), y = o / columns % rows, x = o % columns;
        float sum = 0;
        for (std::int64_t c = 0; c < 2; ++c) {
          for (std::int64_t tap = 0; tap < 6; ++tap) {
            const std::int64_t row = y * 2 - 1 + tap / 2, column = x * stride - 1 + tap % 2 * 2;
            if (row < 0 || row >= height || column < 0 || column >= width) continue;
            const float term = at(in, ((channel / 3 * 2 + c) * height + row) * width + column);
            sum = round_to_half(sum + at(weights, (channel * 2 + c) * 6 + tap) * term);
          }
        }
        ASSERT_EQ(at(out, o), round_to_half(sum + at(bias, channel))) << "output " << o << ", stride " << stride;
      }
    }
  }
  use_target(0);
}

TEST(HalfSums, ProductsRoundAfterEveryTerm) {
  runtime::ThreadPool pool(2);
  for (int flags = 0; flags < 4; ++flags) {
    MatmulShape s;
    s.m = 3;
    s.k = 50;
    s.n = 29;
    s.transpose_a = flags & 1;
    s.transpose_b = flags & 2;
    const auto a = halves(2 * s.m * s.k, 4), b = halves(s.k * s.n, 5), bias = halves(s.n, 6);
    for (const CpuTarget& target : available_targets()) {
      SCOPED_TRACE(target.name);
      use_target(target.id);
      std::vector<float> out(static_cast<std::size_t>(2 * s.m * s.n));
      matmul_half_sums(s, 2, a.data(), s.m * s.k, b.data(), 0, bias.data(), out.data(), pool);
      for (std::int64_t o = 0; o < 2 * s.m * s.n; ++o) {
        const std::int64_t batch = o / (s.m * s.n), m = o / s.n % s.m, n = o % s.n;
        float sum = 0;
        for (std::int64_t k = 0; k < s.k; ++k) {
          const float left = at(a, batch * s.m * s.k + (s.transpose_a ? k * s.m + m : m * s.k + k));
          sum = round_to_half(sum + left * at(b, s.transpose_b ? n * s.k + k : k * s.n + n));
        }
        ASSERT_EQ(at(out, o), round_to_half(sum + at(bias, n))) << "output " << o << ", flags " << flags;
      }
    }
  }
  use_target(0);
}

}  // namespace
}  // namespace anemone::cpu
