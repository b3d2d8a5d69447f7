// Pooling against its definition, on every instruction set.
#include "anemone/runtime/cpu/pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "anemone/runtime/cpu/kernel_test_util.h"

namespace anemone::cpu {
namespace {

struct Case {
  PoolParams params;
  PoolShape shape;
};

PoolParams square(std::int64_t kernel, std::int64_t stride, std::int64_t pad) {
  return {kernel, kernel, stride, stride, pad, pad};
}

std::vector<Case> cases() {
  return {{square(2, 2, 0), {3, 8, 70, 4, 35}},
          {square(2, 2, 0), {3, 7, 9, 4, 5}},  // ceil mode: the last windows reach beyond
          {square(3, 2, 1), {2, 9, 33, 5, 17}},
          {square(3, 1, 1), {5, 6, 19, 6, 19}},
          {square(3, 3, 0), {1, 10, 50, 3, 16}},
          {square(5, 2, 2), {1, 3, 3, 2, 2}},
          {square(1, 1, 0), {2, 3, 17, 3, 17}},
          {square(1, 3, 0), {2, 7, 40, 3, 14}},
          {square(7, 7, 0), {40, 7, 7, 1, 1}},
          {square(64, 64, 0), {2, 64, 64, 1, 1}},
          {{1, 4, 1, 3, 0, 2}, {3, 1, 100, 1, 34}},
          {{4, 1, 3, 1, 2, 0}, {3, 20, 5, 7, 5}},
          {{2, 3, 1, 2, 0, 2}, {1, 4, 8, 4, 4}},
          {square(3, 2, 1), {700, 4, 4, 2, 2}}};
}

TEST(Pool, MaxAndAverageOnEveryTarget) {
  runtime::ThreadPool pool(2);
  for_each_target([&] {
    int number = 0;
    for (const Case& c : cases()) {
      SCOPED_TRACE(number++);
      const PoolParams& p = c.params;
      const PoolShape& s = c.shape;
      const auto in = TestRandom(6).floats(s.planes * s.in_height * s.in_width, -3, -1);  // 0 from padding would show
      const auto size = static_cast<std::size_t>(s.planes * s.out_height * s.out_width);
      std::vector<float> top(size), mean(size), inner_mean(size);
      max_pool(p, s, in.data(), top.data(), pool);
      avg_pool(p, s, false, in.data(), mean.data(), pool);
      avg_pool(p, s, true, in.data(), inner_mean.data(), pool);
      for (std::size_t i = 0; i < size; ++i) {
        const auto flat = static_cast<std::int64_t>(i);
        const std::int64_t x0 = flat % s.out_width * p.stride_width - p.pad_left;
        const std::int64_t y0 = flat / s.out_width % s.out_height * p.stride_height - p.pad_top;
        const std::int64_t plane = flat / (s.out_width * s.out_height);
        double sum = 0, highest = -INFINITY;
        std::int64_t inside = 0;
        for (std::int64_t y = y0; y < y0 + p.kernel_height; ++y) {
          for (std::int64_t x = x0; x < x0 + p.kernel_width; ++x) {
            if (y < 0 || x < 0 || y >= s.in_height || x >= s.in_width) continue;
            const double v = in[static_cast<std::size_t>((plane * s.in_height + y) * s.in_width + x)];
            sum += v, highest = std::max(highest, v), ++inside;
          }
        }
        ASSERT_EQ(top[i], static_cast<float>(highest)) << i;
        if (inside == 0) continue;
        ASSERT_NEAR(mean[i], sum / static_cast<double>(p.kernel_height * p.kernel_width), 3e-6) << i;
        ASSERT_NEAR(inner_mean[i], sum / static_cast<double>(inside), 3e-6) << i;
      }
    }
  });
}

TEST(Pool, NaNWinsWhereverItStands) {
  runtime::ThreadPool pool(1);
  for_each_target([&] {
    for (std::size_t at = 0; at < 9; ++at) {
      std::vector<float> in(9, 1.0f);
      in[at] = std::nanf("");
      float out = 0;
      max_pool(square(3, 1, 0), {1, 3, 3, 1, 1}, in.data(), &out, pool);
      EXPECT_TRUE(std::isnan(out)) << at;
    }
  });
}

}  // namespace
}  // namespace anemone::cpu
