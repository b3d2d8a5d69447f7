// fill, fill_like, range_1d, one_hot, and the random tensors.
#include "anemone/ops/op_test_util.h"

namespace anemone::ops {
namespace {

TEST(Fill, ShapeAndValue) {
  Case c;
  const auto result = c.run("fill", {{"shape", {1, 2}}, {"value", c.number(7, DType::int32)}});
  expect(result, {1, 2}, {7, 7});
  EXPECT_EQ(result->front().dtype, DType::int32);
  Case d;
  expect(d.run("fill", {{"shape", d.in(DType::int32, {1}, {2})}}), {2}, {0, 0});
}
TEST(Fill, C1C2) {
  Case c;
  expect_refused(c.infer("fill", {{"shape", c.number(2, DType::int32)}}), "rank 1 is needed");
  expect_refused(c.infer("fill", {{"shape", {-2}}}), "negative extent");
}
TEST(Fill, TooMuchIsRefusedBeforeMemoryIsTaken) {
  Case c;
  expect_refused(c.run("fill", {{"shape", {100000, 100000}}}), "more than");
}
TEST(FillLike, ShapeOfAnother) {
  Case c;
  expect(c.run("fill_like", {{"ref_tensor", c.in(DType::int32, {2}, {1, 2})}, {"value", c.number(0.5)}}), {2},
         {0.5, 0.5});
}

TEST(Range, EndIsExcluded) {
  Case c;
  expect(c.run("range_1d", {{"start", c.number(1)}, {"end", c.number(2.1)}, {"step", c.number(0.5)}}), {3},
         {1, 1.5, 2});
  Case d;
  expect(d.run("range_1d", {{"start", d.number(3, DType::int32)},
                            {"end", d.in(DType::int32, {}, {0})},
                            {"step", d.number(-1, DType::int32)}}),
         {3}, {3, 2, 1});
  Case f;  // floats of run time decide the extent, too
  expect(f.run("range_1d", {{"start", f.number(0)}, {"end", f.in(Dims{}, {2})}, {"step", f.number(1)}}), {2}, {0, 1});
}
TEST(Range, C1Steps) {
  Case c;
  expect_refused(c.infer("range_1d", {{"start", c.number(0)}, {"end", c.number(1)}, {"step", c.number(0)}}),
                 "never leads");
  expect_refused(c.infer("range_1d", {{"start", c.number(0)}, {"end", c.number(1e30)}, {"step", c.number(1)}}),
                 "never leads");
  Case d;
  expect_refused(d.run("range_1d", {{"start", d.number(0)}, {"end", d.in(Dims{}, {1})}, {"step", d.number(0)}}),
                 "never leads");
}

TEST(OneHot, AxisAndValues) {
  Case c;
  expect(
      c.run("one_hot",
            {{"indices", {1, 0}}, {"one_hot_vector_size", 3}, {"on_value", c.number(5)}, {"off_value", c.number(-1)}}),
      {2, 3}, {-1, 5, -1, 5, -1, -1});
  Case d;
  const auto result =
      d.run("one_hot", {{"indices", {1, 3}}, {"one_hot_vector_size", d.in(DType::int32, {}, {2})}, {"axis", 0}});
  expect(result, {2, 2}, {0, 0, 1, 0});  // an index outside is hot nowhere
  EXPECT_EQ(result->front().dtype, DType::int32);
}
TEST(OneHot, C1C2) {
  Case c;
  expect_refused(c.infer("one_hot", {{"indices", {1}}, {"one_hot_vector_size", 3}, {"axis", 2}}), "axis 2 is outside");
  expect_refused(c.infer("one_hot", {{"indices", {1}}, {"one_hot_vector_size", 0}}), "not a positive number");
}

TEST(Random, DistributionsAndRepeatability) {
  const auto mean_of = [](std::string_view op, Arguments arguments) {
    Case c;
    const auto result = c.run(op, arguments);
    EXPECT_TRUE(result) << render(result.error());
    double sum = 0;
    for (double y : result->front().data) sum += y;
    return sum / static_cast<double>(result->front().count());
  };
  EXPECT_NEAR(mean_of("random_bernoulli", {{"shape", {10000}}}), 0.5, 0.03);
  EXPECT_NEAR(mean_of("random_normal", {{"shape", {10000}}}), 0, 0.05);
  EXPECT_NEAR(mean_of("random_uniform", {{"shape", {10000}}, {"seed", 3}}), 0.5, 0.02);
  EXPECT_EQ(mean_of("random_uniform", {{"shape", {10}}, {"seed", 3}}),
            mean_of("random_uniform", {{"shape", {10}}, {"seed", 3}}));
  EXPECT_NE(mean_of("random_uniform", {{"shape", {10}}, {"seed", 3}}),
            mean_of("random_uniform", {{"shape", {10}}, {"seed", 4}}));
  EXPECT_TRUE(table().find("random_normal")->is(kRandom));
}
TEST(Random, Categorical) {
  Case c;
  expect(c.run("random_categorical", {{"x", c.in({2, 3}, {0, 1, 0, 1, 0, 0})}, {"mode", "probs"}, {"size", 2}}), {2, 2},
         {1, 1, 0, 0});
  expect_refused(c.infer("random_categorical", {{"x", c.typed({2})}, {"mode", "odds"}}),
                 "\"odds\" is not one of");                                                                // C1
  expect_refused(c.infer("random_categorical", {{"x", c.typed(Dims{})}}), "rank 1 to 5");                  // C2
  expect_refused(c.infer("random_categorical", {{"x", c.typed({2})}, {"size", 0}}), "0 is not positive");  // C3
}
TEST(Random, C1C2) {
  Case c;
  expect_refused(c.infer("random_normal", {{"shape", c.number(1, DType::int32)}}), "rank 1 is needed");
  expect_refused(c.infer("random_normal", {{"shape", {-2}}}), "negative extent");
}

}  // namespace
}  // namespace anemone::ops
