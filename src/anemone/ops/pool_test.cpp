// Pools.
#include "anemone/ops/op_test_util.h"

namespace anemone::ops {
namespace {

const std::vector<double> kNine{1, 2, 3, 4, 5, 6, 7, 8, 9};

TEST(Pool, Max) {
  Case c;
  expect(c.run("max_pool", {{"x", c.in({1, 1, 3, 3}, kNine)}, {"kernel_sizes", {2, 2}}, {"pad_type", "valid"}}),
         {1, 1, 2, 2}, {5, 6, 8, 9});
}
TEST(Pool, MaxPadsWithMinusInfinity) {
  Case c;
  expect(c.run("max_pool",
               {{"x", c.in({1, 1, 2}, {-5, -6})}, {"kernel_sizes", {2}}, {"pad_type", "custom"}, {"pad", {1, 1}}}),
         {1, 1, 3}, {-5, -5, -6});
}
TEST(Pool, AverageCountsPaddingUnlessExcluded) {
  for (const bool exclude : {false, true}) {
    Case c;
    expect(c.run("avg_pool", {{"x", c.in({1, 1, 2}, {4, 8})},
                              {"kernel_sizes", {2}},
                              {"pad_type", "custom"},
                              {"pad", {1, 1}},
                              {"exclude_padding_from_average", exclude}}),
           {1, 1, 3}, exclude ? std::vector<double>{4, 6, 8} : std::vector<double>{2, 6, 4});
  }
}
TEST(Pool, L2) {
  Case c;
  expect(c.run("l2_pool", {{"x", c.in({1, 1, 2}, {3, 4})}, {"kernel_sizes", {2}}, {"pad_type", "valid"}}), {1, 1, 1},
         {5});
}
TEST(Pool, StridesAndSame) {
  Case c;
  expect(
      c.run("max_pool",
            {{"x", c.in({1, 1, 5}, {1, 2, 3, 4, 5})}, {"kernel_sizes", {2}}, {"strides", {2}}, {"pad_type", "same"}}),
      {1, 1, 3}, {2, 4, 5});
}
TEST(Pool, CeilModeAddsAWindow) {
  for (const bool exclude : {false, true}) {  // what hangs over the edge counts as padding does
    Case c;
    expect(c.run("avg_pool", {{"x", c.in({1, 1, 5}, {1, 2, 3, 4, 5})},
                              {"kernel_sizes", {2}},
                              {"strides", {2}},
                              {"pad_type", "valid"},
                              {"ceil_mode", true},
                              {"exclude_padding_from_average", exclude}}),
           {1, 1, 3}, {1.5, 3.5, exclude ? 5 : 2.5});
  }
}
TEST(Pool, CeilModeDropsAWindowInThePadding) {
  Case c;  // extent 4, pads 1+1, kernel 2, stride 3: the third window would begin at 6 - 1 = 5 ≥ 4 + 1
  const auto types = c.infer("max_pool", {{"x", c.typed({1, 1, 4})},
                                          {"kernel_sizes", {2}},
                                          {"strides", {3}},
                                          {"pad_type", "custom"},
                                          {"pad", {1, 1}},
                                          {"ceil_mode", true}});
  ASSERT_TRUE(types);
  EXPECT_EQ(types->front().dims, (Dims{1, 1, 2}));
}

TEST(Pool, C1Rank) {
  Case c;
  expect_refused(
      c.infer("l2_pool", {{"x", c.typed({1, 1, 2, 2, 2})}, {"kernel_sizes", {1, 1, 1}}, {"pad_type", "valid"}}),
      "rank 3 to 4");
}
TEST(Pool, C2Numbers) {
  Case c;
  expect_refused(c.infer("max_pool", {{"x", c.typed({1, 1, 2})}, {"kernel_sizes", {1, 1}}, {"pad_type", "valid"}}),
                 "kernel_sizes: 1 numbers");
  Case d;
  expect_refused(d.infer("max_pool", {{"x", d.typed({1, 1, 2})}, {"kernel_sizes", {0}}, {"pad_type", "valid"}}),
                 "0 is not at least 1");
}
TEST(Pool, C3PadType) {
  Case c(Target::ios15);
  expect_refused(c.infer("max_pool", {{"x", c.typed({1, 1, 2})}, {"kernel_sizes", {1}}, {"pad_type", "same_lower"}}),
                 "same_lower");
}
TEST(Pool, C4CeilMode) {
  Case c;
  expect_refused(c.infer("max_pool",
                         {{"x", c.typed({1, 1, 2})}, {"kernel_sizes", {1}}, {"pad_type", "same"}, {"ceil_mode", true}}),
                 "ceil_mode: is not possible");
  Case d;
  expect_refused(d.infer("max_pool", {{"x", d.typed({1, 1, 2})},
                                      {"kernel_sizes", {1}},
                                      {"pad_type", "custom"},
                                      {"pad", {0, 1}},
                                      {"ceil_mode", true}}),
                 "[0,1] is not symmetric");
}
TEST(Pool, C5WindowFits) {
  Case c;
  expect_refused(c.infer("max_pool", {{"x", c.typed({1, 1, 2})}, {"kernel_sizes", {3}}, {"pad_type", "valid"}}),
                 "smaller than the window of 3");
}

}  // namespace
}  // namespace anemone::ops
