// Resizing and crop.
#include <fmt/format.h>

#include "anemone/ops/op_test_util.h"
#include "anemone/ops/sampling.h"

namespace anemone::ops {
namespace {

TEST(Resize, SamplePositions) {
  EXPECT_DOUBLE_EQ(sample_position("STRICT_ALIGN_CORNERS", 1, 3, 5), 0.5);
  EXPECT_DOUBLE_EQ(sample_position("STRICT_ALIGN_CORNERS", 0, 3, 1), 0);
  EXPECT_DOUBLE_EQ(sample_position("ALIGN_CORNERS", 0, 3, 1), 1);
  EXPECT_DOUBLE_EQ(sample_position("DEFAULT", 1, 2, 4), 0.5);
  EXPECT_DOUBLE_EQ(sample_position("UNALIGN_CORNERS", 0, 2, 4), -0.25);
  EXPECT_DOUBLE_EQ(sample_position("OFFSET_CORNERS", 0, 3, 4), 0.25);
}

TEST(Resize, UpsampleNearest) {
  Case c;
  expect(c.run("upsample_nearest_neighbor",
               {{"x", c.in({1, 1, 2}, {1, 2})}, {"scale_factor_height", 2}, {"scale_factor_width", 2}}),
         {1, 2, 4}, {1, 1, 2, 2, 1, 1, 2, 2});
  Case d;
  expect(d.run("upsample_nearest_neighbor", {{"x", d.in({1, 1, 2}, {1, 2})}, {"scale_factor_width", d.number(1.5)}}),
         {1, 1, 3}, {1, 1, 2});
}
TEST(Resize, Nearest) {
  Case c;
  expect(c.run("resize_nearest_neighbor",
               {{"x", c.in({1, 1, 4}, {1, 2, 3, 4})}, {"target_size_height", 1}, {"target_size_width", 3}}),
         {1, 1, 3}, {1, 2, 3});
}
TEST(Resize, UpsampleBilinear) {
  const std::vector<double> x{0, 10};
  Case align;  // the default
  expect(align.run("upsample_bilinear", {{"x", align.in({1, 1, 2}, x)}, {"scale_factor_width", 2}}), {1, 1, 4},
         {0, 10.0 / 3, 20.0 / 3, 10}, 1e-5);
  Case half;
  expect(half.run("upsample_bilinear",
                  {{"x", half.in({1, 1, 2}, x)}, {"scale_factor_width", 2}, {"align_corners", false}}),
         {1, 1, 4}, {0, 2.5, 7.5, 10});
  Case neither;
  expect(neither.run("upsample_bilinear", {{"x", neither.in({1, 1, 2}, x)},
                                           {"scale_factor_width", 2},
                                           {"align_corners", false},
                                           {"half_pixel_centers", false}}),
         {1, 1, 4}, {0, 5, 10, 10});
}
TEST(Resize, Bilinear) {
  Case c;
  expect(c.run("resize_bilinear", {{"x", c.in({1, 2, 1}, {0, 10})},
                                   {"target_size_height", 4},
                                   {"target_size_width", 1},
                                   {"sampling_mode", "UNALIGN_CORNERS"}}),
         {1, 4, 1}, {0, 2.5, 7.5, 10});
  Case d;
  expect(d.run("resize_bilinear", {{"x", d.in({1, 2, 2}, {0, 1, 2, 3})},
                                   {"target_size_height", 3},
                                   {"target_size_width", 3},
                                   {"sampling_mode", "STRICT_ALIGN_CORNERS"}}),
         {1, 3, 3}, {0, 0.5, 1, 1, 1.5, 2, 2, 2.5, 3});
}
TEST(Resize, OffsetCornersMovesSamplesEvenWithoutAChangeOfSize) {
  Case c;
  expect(c.run("resize_bilinear", {{"x", c.in({1, 1, 2}, {0, 8})},
                                   {"target_size_height", 1},
                                   {"target_size_width", 2},
                                   {"sampling_mode", "OFFSET_CORNERS"}}),
         {1, 1, 2}, {2, 6});
}
TEST(Resize, ResizeOfTheLastDimensions) {
  Case c;
  expect(c.run("resize", {{"x", c.in({1, 2}, {0, 10})},
                          {"shape", {2, 4}},
                          {"resized_dims", c.number(1, DType::uint32)},
                          {"sampling_mode", "UNALIGN_CORNERS"}}),
         {1, 4}, {0, 2.5, 7.5, 10});
  Case zero;  // 0 keeps an extent
  expect(zero.run("resize", {{"x", zero.in({1, 2}, {0, 10})},
                             {"shape", {2, 0}},
                             {"resized_dims", zero.number(2, DType::uint32)},
                             {"interpolation_mode", "NEAREST_NEIGHBOR"}}),
         {2, 2}, {0, 10, 0, 10});
}
TEST(Resize, ResizeToAShapeOfRunTime) {
  Case c;
  expect(c.run("resize", {{"x", c.in({1, 2}, {0, 10})},
                          {"shape", c.in(DType::int32, {2}, {1, 4})},
                          {"resized_dims", c.number(2, DType::uint32)},
                          {"interpolation_mode", "NEAREST_NEIGHBOR"}}),
         {1, 4}, {0, 0, 10, 10});
}

TEST(Resize, C1Rank) {
  Case c;
  expect_refused(c.infer("resize_bilinear", {{"x", c.typed({2, 2})}}), "rank 3 to 5");
  Case d;
  expect_refused(d.infer("upsample_nearest_neighbor", {{"x", d.typed({2})}}), "rank 3 to 5");
}
TEST(Resize, C2Extents) {
  Case c;
  expect_refused(
      c.infer("upsample_nearest_neighbor", {{"x", c.typed({1, 2, 2})}, {"scale_factor_width", c.number(0.1)}}),
      "would get the extents");
  for (const int none : {0, -1}) {  // C2 of target sizes: -1 is no unknown extent
    Case d;
    expect_refused(d.infer("resize_nearest_neighbor",
                           {{"x", d.typed({1, 2, 2})}, {"target_size_height", 4}, {"target_size_width", none}}),
                   fmt::format("is {}", none));
  }
}
TEST(Resize, C3Modes) {
  Case c;
  expect_refused(c.infer("resize_bilinear", {{"x", c.typed({1, 2, 2})}, {"sampling_mode", "HALF"}}),
                 "\"HALF\" is not one of");
  Case d;
  expect_refused(
      d.infer("upsample_bilinear", {{"x", d.typed({1, 2, 2})}, {"align_corners", true}, {"half_pixel_centers", true}}),
      "together with");
}
TEST(Resize, ResizeC2C4C5) {
  const auto infer = [](Dims shape, double count, const char* mode) {
    Case c;
    return c.infer("resize", {{"x", c.typed({2, 2})},
                              {"shape", shape},
                              {"resized_dims", c.number(count, DType::uint32)},
                              {"interpolation_mode", mode}});
  };
  expect_refused(infer({2, 2}, 2, "CUBIC"), "\"CUBIC\" is not one of");
  expect_refused(infer({2, 2}, 3, "LINEAR"), "3 dimensions of rank 2");
  expect_refused(infer({2, -2}, 2, "LINEAR"), "negative extent");
}

TEST(Crop, CutsMargins) {
  Case c;
  expect(c.run("crop",
               {{"x", c.in({1, 3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9})}, {"crop_height", {1, 0}}, {"crop_width", {0, 2}}}),
         {1, 2, 1}, {4, 7});
}
TEST(Crop, C1C2C3) {
  Case c;
  expect_refused(c.infer("crop", {{"x", c.typed({3, 3})}, {"crop_height", {1, 0}}, {"crop_width", {0, 2}}}),
                 "rank 3 to 5");
  Case d;
  expect_refused(d.infer("crop", {{"x", d.typed({1, 3, 3})}, {"crop_height", {1, -1}}, {"crop_width", {0, 2}}}),
                 "is not [before, after]");
  Case e;
  expect_refused(e.infer("crop", {{"x", e.typed({1, 3, 3})}, {"crop_height", {1, 2}}, {"crop_width", {0, 0}}}),
                 "leaves nothing of 3");
}

}  // namespace
}  // namespace anemone::ops
