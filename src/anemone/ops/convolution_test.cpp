// conv and conv_transpose.
#include "anemone/ops/op_test_util.h"

namespace anemone::ops {
namespace {

TEST(Conv, CrossCorrelatesAndAddsBias) {
  Case c;
  expect(c.run("conv", {{"x", c.in({1, 1, 3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9})},
                        {"weight", c.fixed({1, 1, 2, 2}, {1, 0, 0, -1})},
                        {"bias", c.fixed({1}, {10})}}),
         {1, 1, 2, 2}, {6, 6, 6, 6});
}

TEST(Conv, CustomPaddingIsTopBottomLeftRight) {
  Case c;
  expect(c.run("conv", {{"x", c.in({1, 1, 1, 2}, {1, 2})},
                        {"weight", c.fixed({1, 1, 1, 1}, {1})},
                        {"pad_type", "custom"},
                        {"pad", {1, 0, 0, 2}}}),
         {1, 1, 2, 4}, {0, 0, 0, 0, 1, 2, 0, 0});
}

TEST(Conv, PadIsIgnoredUnlessCustom) {
  Case c;
  expect(c.run("conv", {{"x", c.in({1, 1, 2}, {1, 2})},
                        {"weight", c.fixed({1, 1, 1}, {1})},
                        {"pad_type", "valid"},
                        {"pad", {1, 1}}}),
         {1, 1, 2}, {1, 2});
}

TEST(Conv, SameGivesTheOddElementToTheEndAndSameLowerToTheBegin) {
  Case same;  // total padding 1 for extent 4, kernel 3, stride 2
  expect(same.run("conv", {{"x", same.in({1, 1, 4}, {1, 2, 3, 4})},
                           {"weight", same.fixed({1, 1, 3}, {1, 10, 100})},
                           {"strides", {2}},
                           {"pad_type", "same"}}),
         {1, 1, 2}, {321, 43});
  Case lower;
  expect(lower.run("conv", {{"x", lower.in({1, 1, 4}, {1, 2, 3, 4})},
                            {"weight", lower.fixed({1, 1, 3}, {1, 10, 100})},
                            {"strides", {2}},
                            {"pad_type", "same_lower"}}),
         {1, 1, 2}, {210, 432});
}

TEST(Conv, DilationAndStride) {
  Case c;
  expect(c.run("conv", {{"x", c.in({1, 1, 6}, {1, 2, 3, 4, 5, 6})},
                        {"weight", c.fixed({1, 1, 2}, {1, 10})},
                        {"dilations", {3}},
                        {"strides", {2}}}),
         {1, 1, 2}, {41, 63});
}

TEST(Conv, GroupsAreIndependent) {
  Case c;
  expect(c.run("conv",
               {{"x", c.in({1, 2, 2}, {1, 2, 3, 4})}, {"weight", c.fixed({4, 1, 1}, {1, 2, 3, 4})}, {"groups", 2}}),
         {1, 4, 2}, {1, 2, 2, 4, 9, 12, 12, 16});
}

TEST(Conv, ThreeDimensionsAndBatch) {
  Case c;
  expect(c.run("conv", {{"x", c.in({2, 1, 1, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8})},
                        {"weight", c.fixed({1, 1, 1, 2, 2}, {1, 1, 1, 1})}}),
         {2, 1, 1, 1, 1}, {10, 26});
}

TEST(Conv, WeightAtRunTime) {
  Case c;
  expect(c.run("conv", {{"x", c.in({1, 1, 2}, {1, 2})}, {"weight", c.in({1, 1, 2}, {3, 4})}}), {1, 1, 1}, {11});
}

TEST(Conv, UnknownExtents) {
  Case c;
  const auto types = c.infer(
      "conv", {{"x", c.typed({kUnknown, 3, kUnknown, 5})}, {"weight", c.fixed({2, 3, 1, 3}, std::vector<double>(18))}});
  ASSERT_TRUE(types) << render(types.error());
  EXPECT_EQ(types->front().dims, (Dims{kUnknown, 2, kUnknown, 3}));
}

TEST(Conv, FlexibleExtentsRun) {
  Case c;
  expect(c.run("conv", {{"x", c.in_declared(Type::tensor(DType::fp32, {1, 1, kUnknown}), {1, 1, 3}, {1, 2, 3})},
                        {"weight", c.fixed({1, 1, 2}, {1, 1})}}),
         {1, 1, 2}, {3, 5});
}

TEST(Conv, WorkIsCounted) {
  Case c;
  Builder builder(c.function().body);
  const Node* node = builder.add_node(
      "conv",
      {{"x", c.typed({1, 4, 5, 5})}, {"weight", c.fixed({6, 2, 3, 3}, std::vector<double>(108))}, {"groups", 2}});
  ASSERT_NE(node, nullptr);
  EXPECT_EQ(node->def->macs(*node), 6 * 3 * 3 * 2 * 3 * 3);
  const Node* up = builder.add_node(
      "conv_transpose", {{"x", c.typed({1, 4, 5, 5})}, {"weight", c.fixed({4, 3, 2, 2}, std::vector<double>(48))}});
  ASSERT_NE(up, nullptr);
  EXPECT_EQ(up->def->macs(*up), 4 * 5 * 5 * 3 * 2 * 2);
}

struct BadConv {
  const char* label;
  Dims x, weight, strides, pad;
  const char* pad_type;
  int groups;
  const char* words;
};
TEST(Conv, BadCases) {
  const BadConv kCases[] = {
      {"C1 rank", {1, 3}, {2, 3}, {}, {}, "valid", 1, "rank 3 to 5"},
      {"C2 weight rank", {1, 3, 8, 8}, {2, 3, 3}, {1, 1}, {0, 0, 0, 0}, "valid", 1, "rank 4 is needed, 3 is given"},
      {"C3 strides",
       {1, 3, 8, 8},
       {2, 3, 3, 3},
       {1},
       {0, 0, 0, 0},
       "valid",
       1,
       "strides: 2 numbers are needed, 1 are given"},
      {"C3 positive", {1, 3, 8, 8}, {2, 3, 3, 3}, {1, 0}, {0, 0, 0, 0}, "valid", 1, "strides: 0 is not at least 1"},
      {"C3 pad", {1, 3, 8, 8}, {2, 3, 3, 3}, {1, 1}, {0, 0}, "custom", 1, "pad: 4 numbers are needed"},
      {"C4 pad_type", {1, 3, 8, 8}, {2, 3, 3, 3}, {1, 1}, {0, 0, 0, 0}, "full", 1, "\"full\" is not one of"},
      {"C5 groups",
       {1, 3, 8, 8},
       {2, 3, 3, 3},
       {1, 1},
       {0, 0, 0, 0},
       "valid",
       2,
       "2 does not divide the 3 input channels"},
      {"C6 groups",
       {1, 4, 8, 8},
       {3, 2, 3, 3},
       {1, 1},
       {0, 0, 0, 0},
       "valid",
       2,
       "2 does not divide the 3 output channels"},
      {"C7 channels",
       {1, 4, 8, 8},
       {2, 3, 3, 3},
       {1, 1},
       {0, 0, 0, 0},
       "valid",
       1,
       "takes 3 channels a group, x has 4"},
      {"C10 kernel",
       {1, 3, 2, 8},
       {2, 3, 3, 3},
       {1, 1},
       {0, 0, 0, 0},
       "valid",
       1,
       "extent 2 with padding 0+0 is smaller"},
  };
  for (const BadConv& bad : kCases) {
    SCOPED_TRACE(bad.label);
    Case c;
    std::vector<double> zeros(static_cast<std::size_t>(*element_count(bad.weight)));
    expect_refused(c.infer("conv", {{"x", c.typed(bad.x)},
                                    {"weight", c.fixed(bad.weight, zeros)},
                                    {"strides", bad.strides},
                                    {"pad", bad.pad},
                                    {"pad_type", bad.pad_type},
                                    {"groups", bad.groups}}),
                   bad.words);
  }
}
TEST(Conv, C8Bias) {
  Case c;
  expect_refused(
      c.infer("conv", {{"x", c.typed({1, 1, 4})}, {"weight", c.fixed({2, 1, 1}, {1, 1})}, {"bias", c.fixed({1}, {1})}}),
      "bias: [2] is needed, [1] is given");
}
TEST(Conv, C9DilationNeedsConstantWeight) {
  Case c;
  expect_refused(c.infer("conv", {{"x", c.typed({1, 1, 4})}, {"weight", c.typed({1, 1, 2})}, {"dilations", {2}}}),
                 "must be 1 where");
}
TEST(Conv, C4SameLowerIsNewInIos16) {
  Case c(Target::ios15);
  expect_refused(
      c.infer("conv", {{"x", c.typed({1, 1, 4})}, {"weight", c.fixed({1, 1, 1}, {1})}, {"pad_type", "same_lower"}}),
      "same_lower");
}
TEST(Conv, WeightMayHaveAnotherDtypeFromIos17) {
  for (const Target target : {Target::ios16, Target::ios17}) {
    Case c(target);
    const auto types =
        c.infer("conv", {{"x", c.typed(Type::tensor(DType::fp16, {1, 1, 4}))}, {"weight", c.fixed({1, 1, 1}, {1})}});
    EXPECT_EQ(types.has_value(), target == Target::ios17);
  }
}

TEST(ConvTranspose, SpreadsTheKernel) {
  Case c;
  expect(c.run("conv_transpose", {{"x", c.in({1, 1, 2}, {1, 2})},
                                  {"weight", c.fixed({1, 1, 3}, {1, 10, 100})},
                                  {"strides", {2}},
                                  {"bias", c.fixed({1}, {0.5})}}),
         {1, 1, 5}, {1.5, 10.5, 102.5, 20.5, 200.5});
}
TEST(ConvTranspose, CustomPaddingIsCutOff) {
  Case c;
  expect(c.run("conv_transpose", {{"x", c.in({1, 1, 2}, {1, 2})},
                                  {"weight", c.fixed({1, 1, 3}, {1, 10, 100})},
                                  {"strides", {2}},
                                  {"pad_type", "custom"},
                                  {"pad", {1, 2}}}),
         {1, 1, 2}, {10, 102});
}
TEST(ConvTranspose, SameMultipliesExtents) {
  Case c;
  expect(c.run("conv_transpose", {{"x", c.in({1, 1, 2}, {1, 2})},
                                  {"weight", c.fixed({1, 1, 3}, {1, 10, 100})},
                                  {"strides", {2}},
                                  {"pad_type", "same"}}),
         {1, 1, 4}, {1, 10, 102, 20});
}
TEST(ConvTranspose, GroupsAndChannels) {
  Case c;
  expect(c.run("conv_transpose",
               {{"x", c.in({1, 2, 1}, {1, 2})}, {"weight", c.fixed({2, 2, 1}, {1, 2, 3, 4})}, {"groups", 2}}),
         {1, 4, 1}, {1, 2, 6, 8});
  Case d;
  expect(d.run("conv_transpose", {{"x", d.in({1, 2, 1}, {1, 2})}, {"weight", d.fixed({2, 2, 1}, {1, 2, 3, 4})}}),
         {1, 2, 1}, {7, 10});
}
TEST(ConvTranspose, OutputShapeWins) {
  Case c;
  expect(c.run("conv_transpose", {{"x", c.in({1, 1, 2}, {1, 2})},
                                  {"weight", c.fixed({1, 1, 2}, {1, 10})},
                                  {"strides", {2}},
                                  {"output_shape", {1, 1, 5}}}),
         {1, 1, 5}, {1, 10, 2, 20, 0});
}
TEST(ConvTranspose, C5C7C8C10C11) {
  const auto infer = [](Dims x, Dims weight, int groups, Dims pad, Dims shape, std::vector<double> bias) {
    Case c;
    std::vector<double> zeros(static_cast<std::size_t>(*element_count(weight)));
    Value* w = c.fixed(weight, zeros);
    const auto count = static_cast<std::int64_t>(bias.size());
    Value* b = c.fixed({count}, std::move(bias));
    if (shape.empty()) {
      return c.infer(
          "conv_transpose",
          {{"x", c.typed(x)}, {"weight", w}, {"groups", groups}, {"pad_type", "custom"}, {"pad", pad}, {"bias", b}});
    }
    return c.infer("conv_transpose", {{"x", c.typed(x)},
                                      {"weight", w},
                                      {"groups", groups},
                                      {"pad_type", "custom"},
                                      {"pad", pad},
                                      {"output_shape", shape},
                                      {"bias", b}});
  };
  expect_refused(infer({1, 3, 4}, {3, 1, 2}, 2, {0, 0}, {}, {0}), "2 does not divide the 3");               // C5
  expect_refused(infer({1, 3, 4}, {2, 1, 2}, 1, {0, 0}, {}, {0}), "takes 2 channels, x has 3");             // C7
  expect_refused(infer({1, 2, 4}, {2, 1, 2}, 1, {0, 0}, {}, {0, 0}), "[1] is needed, [2] is given");        // C8
  expect_refused(infer({1, 2, 1}, {2, 1, 2}, 1, {1, 1}, {}, {0}), "is smaller than the kernel");            // C10
  expect_refused(infer({1, 2, 4}, {2, 1, 2}, 1, {0, 0}, {1, 2, 5}, {0}), "[1,2,5] is given, where [1,1,");  // C11
  EXPECT_TRUE(infer({1, 2, 4}, {2, 1, 2}, 1, {0, 0}, {1, 1, 5}, {0}));
}

}  // namespace
}  // namespace anemone::ops
