// Resampling against its definition, on every instruction set.
#include "anemone/runtime/cpu/resize.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "anemone/runtime/cpu/kernel_test_util.h"

namespace anemone::cpu {
namespace {

constexpr ResizeShape kShapes[] = {{3, 4, 4, 8, 8},   {2, 5, 33, 10, 66}, {1, 7, 9, 21, 27}, {2, 6, 5, 6, 10},
                                   {2, 9, 40, 4, 17}, {1, 1, 1, 5, 7},    {1, 8, 8, 1, 1},   {3, 3, 5, 7, 13},
                                   {2, 5, 6, 5, 6},   {1, 2, 3, 1, 40},   {900, 2, 2, 4, 4}};

TEST(ResizeNearest, OnEveryTarget) {
  runtime::ThreadPool pool(2);
  for_each_target([&] {
    for (const ResizeShape& s : kShapes) {
      const auto in = TestRandom(1).floats(s.planes * s.in_height * s.in_width);
      std::vector<float> out(static_cast<std::size_t>(s.planes * s.out_height * s.out_width));
      resize_nearest(s, in.data(), out.data(), pool);
      for (std::size_t i = 0; i < out.size(); ++i) {
        const auto flat = static_cast<std::int64_t>(i);
        const std::int64_t x = flat % s.out_width * s.in_width / s.out_width;
        const std::int64_t y = flat / s.out_width % s.out_height * s.in_height / s.out_height;
        const std::int64_t plane = flat / (s.out_width * s.out_height);
        ASSERT_EQ(out[i], in[static_cast<std::size_t>((plane * s.in_height + y) * s.in_width + x)]) << i;
      }
    }
  });
}

TEST(ResizeBilinear, EveryModeOnEveryTarget) {
  runtime::ThreadPool pool(2);
  for_each_target([&] {
    for (const Sampling mode : {Sampling::strict_align_corners, Sampling::align_corners, Sampling::default_mode,
                                Sampling::unalign_corners, Sampling::offset_corners}) {
      for (const ResizeShape& s : kShapes) {
        const auto in = TestRandom(1).floats(s.planes * s.in_height * s.in_width);
        std::vector<float> out(static_cast<std::size_t>(s.planes * s.out_height * s.out_width));
        resize_bilinear(s, mode, in.data(), out.data(), pool);
        for (std::size_t i = 0; i < out.size(); ++i) {
          const auto flat = static_cast<std::int64_t>(i);
          const double x = sample_position(mode, flat % s.out_width, s.in_width, s.out_width);
          const double y = sample_position(mode, flat / s.out_width % s.out_height, s.in_height, s.out_height);
          const float* plane = in.data() + flat / (s.out_width * s.out_height) * s.in_height * s.in_width;
          const auto x0 = static_cast<std::int64_t>(x), y0 = static_cast<std::int64_t>(y);
          const std::int64_t x1 = std::min(x0 + 1, s.in_width - 1), y1 = std::min(y0 + 1, s.in_height - 1);
          const double fx = x - static_cast<double>(x0), fy = y - static_cast<double>(y0);
          const double upper = (1 - fx) * plane[y0 * s.in_width + x0] + fx * plane[y0 * s.in_width + x1];
          const double lower = (1 - fx) * plane[y1 * s.in_width + x0] + fx * plane[y1 * s.in_width + x1];
          ASSERT_NEAR(out[i], (1 - fy) * upper + fy * lower, 4e-7) << i;
        }
      }
    }
  });
}

// Worked by hand from the formulas of the format's description.
TEST(ResizeBilinear, Positions) {
  EXPECT_EQ(sample_position(Sampling::strict_align_corners, 3, 4, 7), 1.5);
  EXPECT_EQ(sample_position(Sampling::strict_align_corners, 0, 5, 1), 0.0);
  EXPECT_EQ(sample_position(Sampling::align_corners, 0, 5, 1), 2.0);
  EXPECT_EQ(sample_position(Sampling::default_mode, 3, 4, 8), 1.5);
  EXPECT_EQ(sample_position(Sampling::unalign_corners, 0, 4, 8), 0.0);  // -0.25, clamped
  EXPECT_EQ(sample_position(Sampling::unalign_corners, 3, 4, 8), 1.25);
  EXPECT_EQ(sample_position(Sampling::unalign_corners, 7, 4, 8), 3.0);  // 3.25, clamped
  EXPECT_EQ(sample_position(Sampling::offset_corners, 1, 5, 8), 0.75);
  EXPECT_EQ(sample_position(Sampling::offset_corners, 1, 1, 4), 0.0);  // 0.375, clamped
}

TEST(ResizeBilinear, InfinityStaysWhereItIs) {
  runtime::ThreadPool pool(1);
  for_each_target([&] {
    const float in[] = {1, INFINITY};
    float out[3];
    resize_bilinear({1, 1, 2, 1, 3}, Sampling::strict_align_corners, in, out, pool);
    EXPECT_EQ(out[0], 1);
    EXPECT_EQ(out[1], INFINITY);
    EXPECT_EQ(out[2], INFINITY);
  });
}

}  // namespace
}  // namespace anemone::cpu
