// The //! lines, and what Apple's compiler says about flexible shapes.
#include <gtest/gtest.h>

#include "anemone/ir/text/text_test_util.h"

namespace anemone {
namespace {

using test::read;
using test::round_trip;

TEST(InterfaceText, InterfaceLinesLoseNothing) {
  auto program = read("func main<ios17>(tensor<fp32, [1, 3, 8, 8]> x) { y = relu(x = x); } -> (y);");
  ASSERT_TRUE(program);
  Interface& interface = program->main().interface;
  Feature image{.name = "a face", .description = "say \"hi\"", .kind = Feature::Kind::image};
  image.color = Color::gray_fp16;
  image.width = 256, image.height = 128;
  image.sizes = {{256, 128}, {64, 64}};
  image.size_range = {{{1, 512}, {2, -1}}};
  Feature array{.name = "x", .optional = true, .dtype = DType::fp16, .shape = {1, 3, 8, 8}};
  array.shapes = {{1, 3, 8, 8}, {1, 3, 4, 4}};
  array.ranges = {{1, 1}, {3, -1}};
  array.default_value = 1e-300;
  array.default_type = DType::fp64;
  Feature odd{.name = "odd", .kind = Feature::Kind::int64, .dtype = DType::int32, .shape = {7}};
  odd.default_type = DType::int32;
  odd.color = Color::bgr;
  odd.width = 3;
  odd.string_keys = true;
  interface.inputs = {image, array, odd};
  Feature sequence{.name = "ids", .kind = Feature::Kind::sequence};
  sequence.length = {0, 5};
  Feature dictionary{.name = "p", .kind = Feature::Kind::dictionary};
  dictionary.string_keys = true;
  interface.outputs = {sequence, dictionary, {.name = "s", .kind = Feature::Kind::string}};
  interface.states = {{.name = "st", .kind = Feature::Kind::state, .dtype = DType::fp16, .shape = {1, 8}}};
  interface.predicted_probabilities = "p";
  const std::string text = to_text(*program, {.exact = true});
  const auto again = read(text);
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->main().interface == interface) << text;
  interface = {};
  const auto none = read(to_text(*program));
  ASSERT_TRUE(none);
  EXPECT_TRUE(none->main().interface == interface);
}

TEST(InterfaceText, FlexibleShapesGoToTheInterface) {
  const auto program = read(R"(program(1.0)
{
    func main<ios17>(tensor<fp32, [1, ?]> c, tensor<fp32, [1, 128]> s) [FlexibleShapeInformation = tuple<tuple<tensor<string, []>, dict<tensor<string, []>, tensor<int32, [?]>>>, tuple<tensor<string, []>, dict<tensor<string, []>, list<tensor<int32, [2]>, ?>>>>((("DefaultShapes", {{"c", [1, 266]}}), ("RangeDims", {{"c", [[1, 1], [2, 4000]]}})))] {
            tensor<fp32, [1, ?]> y = relu(x = c)[name = tensor<string, []>("y")];
        } -> (y);
})");
  ASSERT_TRUE(program);
  const Feature& c = program->main().interface.inputs.at(0);
  EXPECT_EQ(c.shape, (Dims{1, 266}));
  EXPECT_EQ(c.ranges, (std::vector<SizeRange>{{1, 1}, {2, 4000}}));
  EXPECT_TRUE(program->main().attributes.empty()) << "kept in one place only";
  round_trip(*program);
  const auto enumerated = read(R"(func main<ios17>(tensor<fp32, [1, ?]> c) [FlexibleShapeInformation =
    tuple<tuple<string, dict<string, tensor<int32, [?]>>>, tuple<string, dict<string, dict<string, tensor<int32, [?]>>>>>(
    (("DefaultShapes", {{"c", [1, 4]}}), ("EnumeratedShapes", {{"k1", {{"c", [1, 4]}}}, {"k2", {{"c", [1, 8]}}}})))] {
      y = relu(x = c);
    } -> (y);)");
  ASSERT_TRUE(enumerated);
  EXPECT_EQ(enumerated->main().interface.inputs.at(0).shapes, (std::vector<Dims>{{1, 4}, {1, 8}}));
  EXPECT_TRUE(enumerated->main().interface.inputs.at(0).ranges.empty());
}

}  // namespace
}  // namespace anemone
