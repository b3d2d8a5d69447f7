// crop_resize, affine, resample.
#include "anemone/ops/op_test_util.h"

namespace anemone::ops {
namespace {

const std::vector<double> kSixteen{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

Result<std::vector<Array>> boxes(std::vector<double> box, const char* mode, const char* order, bool normalized,
                                 int size) {
  Case c;
  return c.run("crop_resize", {{"x", c.in({1, 1, 4, 4}, kSixteen)},
                               {"boxes", c.in({1, 4}, std::move(box))},
                               {"target_height", size},
                               {"target_width", size},
                               {"sampling_mode", mode},
                               {"box_coordinate_mode", order},
                               {"normalized_coordinates", normalized}});
}

TEST(CropResize, BoxesInTheirFourFormsAndModes) {
  expect(boxes({1, 1, 2, 2}, "ALIGN_CORNERS", "CORNERS_HEIGHT_FIRST", false, 2), {1, 1, 2, 2}, {6, 7, 10, 11});
  expect(boxes({0, 1, 0, 2}, "ALIGN_CORNERS", "CORNERS_WIDTH_FIRST", false, 2), {1, 1, 2, 2}, {5, 5, 9, 9});
  expect(boxes({1, 2, 2, 2}, "ALIGN_CORNERS", "CENTER_SIZE_HEIGHT_FIRST", false, 2), {1, 1, 2, 2}, {2, 4, 10, 12});
  expect(boxes({0, 0, 1, 1}, "STRICT_ALIGN_CORNERS", "CORNERS_HEIGHT_FIRST", true, 2), {1, 1, 2, 2}, {1, 4, 13, 16});
  expect(boxes({0, 0, 3, 3}, "DEFAULT", "CORNERS_HEIGHT_FIRST", false, 2), {1, 1, 2, 2}, {1, 3, 9, 11});
  expect(boxes({0, 0, 3, 3}, "UNALIGN_CORNERS", "CORNERS_HEIGHT_FIRST", false, 2), {1, 1, 2, 2},
         {3.5, 5.5, 11.5, 13.5});
  expect(boxes({0, 0, 2, 2}, "OFFSET_CORNERS", "CORNERS_HEIGHT_FIRST", false, 2), {1, 1, 2, 2}, {3.5, 4.5, 7.5, 8.5});
}
TEST(CropResize, OutsideIsPadding) {
  Case c;
  expect(c.run("crop_resize", {{"x", c.in({1, 1, 4, 4}, kSixteen)},
                               {"boxes", c.in({1, 4}, {0, 0, 6, 3})},
                               {"target_height", 3},
                               {"target_width", 1},
                               {"sampling_mode", "STRICT_ALIGN_CORNERS"},
                               {"pad_value", c.number(-1)}}),
         {1, 1, 3, 1}, {1, 13, -1});
}
TEST(CropResize, OldFormGivesOneResultABoxAndSample) {
  Case c(Target::ios16);
  expect(c.run("crop_resize", {{"x", c.in({2, 1, 1, 2}, {1, 2, 3, 4})}, {"roi", c.in({1, 1, 4, 1, 1}, {0, 1, 0, 1})}}),
         {1, 2, 1, 1, 1}, {2, 4});
  Case d(Target::ios16);  // with the sample in the box
  expect(
      d.run("crop_resize", {{"x", d.in({2, 1, 1, 2}, {1, 2, 3, 4})}, {"roi", d.in({1, 1, 5, 1, 1}, {1, 0, 1, 0, 1})}}),
      {1, 1, 1, 1, 1}, {4});
}
TEST(CropResize, BadCases) {
  Case c;
  Value* x = c.typed({1, 1, 4, 4});
  Value* box = c.typed({1, 4});
  expect_refused(c.infer("crop_resize", {{"x", c.typed({1, 4, 4})}, {"boxes", box}}), "rank 4 is needed");  // C1
  expect_refused(c.infer("crop_resize", {{"x", x}, {"boxes", box}, {"box_coordinate_mode", "CORNERS"}}),
                 "\"CORNERS\" is not one of");  // C2
  expect_refused(c.infer("crop_resize", {{"x", x}, {"boxes", box}, {"target_width", 0}}),
                 "target_width: 0 is not positive");                                                             // C3
  expect_refused(c.infer("crop_resize", {{"x", x}, {"boxes", c.typed({1, 5})}}), "is not [N,4]");                // C4
  expect_refused(c.infer("crop_resize", {{"x", x}, {"boxes", box}, {"box_indices", {0, 0}}}), "[1] is needed");  // C5
  expect_refused(c.infer("crop_resize", {{"x", x},
                                         {"boxes", c.typed(Type::tensor(DType::uint16, {1, 4}))},
                                         {"normalized_coordinates", true}}),  // C6
                 "normalized coordinates need floats");
  Case old(Target::ios15);
  expect_refused(old.infer("crop_resize", {{"x", old.typed({1, 1, 4, 4})}, {"roi", old.typed({1, 1, 3, 1, 1})}}),
                 "is neither [N,1,4,1,1]");
  Case run;
  expect_refused(
      run.run("crop_resize",
              {{"x", run.in({1, 1, 4, 4}, kSixteen)}, {"boxes", run.in({1, 4}, {0, 0, 1, 1})}, {"box_indices", {1}}}),
      "names sample 1 of 1");
  expect_refused(boxes({2, 2, 1, 1}, "UNALIGN_CORNERS", "CORNERS_HEIGHT_FIRST", false, 2), "turned over");
}

Result<std::vector<Array>> affine(std::vector<double> matrix, std::int64_t size) {
  Case c;
  return c.run("affine", {{"x", c.in({1, 1, 1, 3}, {1, 2, 3})},
                          {"transform_matrix", c.in({1, 6}, std::move(matrix))},
                          {"output_height", 1},
                          {"output_width", size},
                          {"sampling_mode", "bilinear"},
                          {"padding_mode", "constant"},
                          {"padding_value", c.number(0)},
                          {"coordinates_mode", "normalized_minus_one_to_one"},
                          {"align_corners", true}});
}
TEST(Affine, MapsOutputToInput) {
  expect(affine({1, 0, 0, 0, 1, 0}, 5), {1, 1, 1, 5}, {1, 1.5, 2, 2.5, 3});
  expect(affine({-1, 0, 0, 0, 1, 0}, 3), {1, 1, 1, 3}, {3, 2, 1});
  expect(affine({1, 0, 1, 0, 1, 0}, 3), {1, 1, 1, 3}, {2, 3, 0});
}
TEST(Affine, BadCases) {
  const auto infer = [](Dims x, Dims matrix, const char* mode, bool align, int width, double padding) {
    Case c;
    return c.infer("affine", {{"x", c.typed(x)},
                              {"transform_matrix", c.typed(matrix)},
                              {"output_height", 1},
                              {"output_width", width},
                              {"sampling_mode", mode},
                              {"padding_mode", "constant"},
                              {"padding_value", c.number(padding)},
                              {"coordinates_mode", "normalized_minus_one_to_one"},
                              {"align_corners", align}});
  };
  expect_refused(infer({1, 1, 3}, {1, 6}, "bilinear", true, 1, 0), "rank 4 is needed");               // C1
  expect_refused(infer({3, 1, 1, 3}, {2, 6}, "bilinear", true, 1, 0), "is neither [1,6] nor [3,6]");  // C2
  expect_refused(infer({1, 1, 1, 3}, {1, 6}, "nearest", true, 1, 0), "\"nearest\" is not one of");    // C3
  expect_refused(infer({1, 1, 1, 3}, {1, 6}, "bilinear", false, 1, 0), "must be true");
  expect_refused(infer({1, 1, 1, 3}, {1, 6}, "bilinear", true, 1, 5), "must be 0");
  expect_refused(infer({1, 1, 1, 3}, {1, 6}, "bilinear", true, 0, 0), "1×0 is empty");  // C4
}

Result<std::vector<Array>> resample(std::vector<double> columns, const char* sampling, const char* padding,
                                    const char* coordinates, bool align) {
  Case c;
  std::vector<double> places;
  for (double column : columns)
    places.insert(places.end(), {column, coordinates == std::string("normalized_zero_to_one") ? (align ? 0 : 0.5) : 0});
  return c.run("resample", {{"x", c.in({1, 1, 1, 3}, {1, 2, 3})},
                            {"coordinates", c.in({1, 1, static_cast<std::int64_t>(columns.size()), 2}, places)},
                            {"sampling_mode", sampling},
                            {"padding_mode", padding},
                            {"padding_value", c.number(-1)},
                            {"coordinates_mode", coordinates},
                            {"align_corners", align}});
}
TEST(Resample, Coordinates) {
  expect(resample({0.5, 2}, "bilinear", "constant", "unnormalized", true), {1, 1, 1, 2}, {1.5, 3});
  expect(resample({-1, 0, 1}, "bilinear", "constant", "normalized_minus_one_to_one", true), {1, 1, 1, 3}, {1, 2, 3});
  expect(resample({0, 0.75}, "bilinear", "constant", "normalized_zero_to_one", true), {1, 1, 1, 2}, {1, 2.5});
  expect(resample({0.5, 0.75}, "bilinear", "border", "normalized_zero_to_one", false), {1, 1, 1, 2}, {2, 2.75});
  expect(resample({0, 1.0 / 3}, "bilinear", "border", "normalized_minus_one_to_one", false), {1, 1, 1, 2}, {2, 2.5});
}
TEST(Resample, Padding) {
  const std::vector<double> places{-0.5, 2.5, 3.5, -2};
  expect(resample(places, "bilinear", "constant", "unnormalized", true), {1, 1, 1, 4}, {0, 1, -1, -1});
  expect(resample(places, "bilinear", "border", "unnormalized", true), {1, 1, 1, 4}, {1, 3, 3, 1});
  expect(resample(places, "bilinear", "reflection", "unnormalized", true), {1, 1, 1, 4}, {1.5, 2.5, 1.5, 3});
  expect(resample(places, "bilinear", "symmetric", "unnormalized", true), {1, 1, 1, 4}, {1, 3, 2.5, 2});
}
TEST(Resample, NearestRoundsHalvesToEven) {
  expect(resample({0.4, 0.5, 1.5, 2.6}, "nearest", "constant", "unnormalized", true), {1, 1, 1, 4}, {1, 1, 3, -1});
}
TEST(Resample, BadCases) {
  const auto infer = [](Dims x, Dims places, const char* padding) {
    Case c;
    return c.infer("resample", {{"x", c.typed(x)},
                                {"coordinates", c.typed(places)},
                                {"sampling_mode", "nearest"},
                                {"padding_mode", padding},
                                {"padding_value", c.number(0)},
                                {"coordinates_mode", "unnormalized"},
                                {"align_corners", true}});
  };
  expect_refused(infer({1, 1, 3}, {1, 1, 1, 2}, "border"), "rank 4 is needed");         // C1
  expect_refused(infer({1, 1, 1, 3}, {1, 1, 1, 3}, "border"), "is not [1,h,w,2]");      // C2
  expect_refused(infer({1, 1, 1, 3}, {1, 1, 1, 2}, "wrap"), "\"wrap\" is not one of");  // C3
}

}  // namespace
}  // namespace anemone::ops
