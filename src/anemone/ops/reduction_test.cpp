// Reductions.
#include "anemone/ops/op_test_util.h"

namespace anemone::ops {
namespace {

void check(std::string_view op, std::vector<double> over_rows, double over_all) {
  SCOPED_TRACE(op);
  Case c;
  expect(c.run(op, {{"x", c.in({2, 2}, {1, 2, 3, 4})}, {"axes", {1}}, {"keep_dims", true}}), {2, 1}, over_rows);
  Case d;
  expect(d.run(op, {{"x", d.in({2, 2}, {1, 2, 3, 4})}}), {}, {over_all});
}

TEST(Reduction, Values) {
  check("reduce_sum", {3, 7}, 10);
  check("reduce_mean", {1.5, 3.5}, 2.5);
  check("reduce_max", {2, 4}, 4);
  check("reduce_min", {1, 3}, 1);
  check("reduce_prod", {2, 12}, 24);
  check("reduce_l1_norm", {3, 7}, 10);
  check("reduce_l2_norm", {std::sqrt(5), 5}, std::sqrt(30));
  check("reduce_sum_square", {5, 25}, 30);
  check("reduce_log_sum", {std::log(3), std::log(7)}, std::log(10));
  check("reduce_log_sum_exp", {2.313261688, 4.313261688}, 4.440189699);
}
TEST(Reduction, LogSumExpDoesNotOverflow) {
  Case c;
  expect(c.run("reduce_log_sum_exp", {{"x", c.in({2}, {1000, 1000})}}), {}, {1000.693147181}, 1e-3);
}
TEST(Reduction, NegativeAxesAndIntegers) {
  Case c;
  const auto result = c.run("reduce_sum", {{"x", c.in(DType::int32, {1, 2, 2}, {1, 2, 3, 4})}, {"axes", {-1, 0}}});
  expect(result, {2}, {3, 7});
  EXPECT_EQ(result->front().dtype, DType::int32);
}
TEST(Reduction, UnknownExtents) {
  Case c;
  EXPECT_EQ(c.infer("reduce_max", {{"x", c.typed({kUnknown, 3, kUnknown})}, {"axes", {2}}})->front().dims,
            (Dims{kUnknown, 3}));
}
TEST(Reduction, C1Axes) {
  Case c;
  expect_refused(c.infer("reduce_sum", {{"x", c.typed({2, 2})}, {"axes", {2}}}), "axis 2 is outside");
  Case d;
  expect_refused(d.infer("reduce_sum", {{"x", d.typed({2, 2})}, {"axes", {1, -1}}}), "given twice");
}

TEST(Reduction, PositionsOfExtremes) {
  Case c;
  const auto result = c.run("reduce_argmax", {{"x", c.in({2, 3}, {1, 5, 5, 9, 2, 3})}});
  expect(result, {2}, {1, 0});  // the first of equals
  EXPECT_EQ(result->front().dtype, DType::int32);
  Case d;
  expect(d.run("reduce_argmin", {{"x", d.in({2, 2}, {1, 5, 0, 7})}, {"axis", 0}, {"keep_dims", true}}), {1, 2}, {1, 0});
}
// The first form has no choice of a dtype; what it gives is the default of the form that has one.
TEST(Reduction, PositionsBeforeTheyHadAChoice) {
  Case c(Target::ios15);
  EXPECT_EQ(c.infer("reduce_argmax", {{"x", c.typed({2})}})->front().dtype, DType::int32);
}
TEST(Reduction, PositionsC1C2) {
  Case c;
  expect_refused(c.infer("reduce_argmax", {{"x", c.typed({2})}, {"axis", 1}}), "axis 1 is outside");
  Case d;
  expect_refused(d.infer("reduce_argmax", {{"x", d.typed({2})}, {"output_dtype", "int64"}}), "\"int64\" is not one of");
  Case e;
  EXPECT_EQ(e.infer("reduce_argmax", {{"x", e.typed({2})}, {"output_dtype", "uint16"}})->front().dtype, DType::uint16);
}

}  // namespace
}  // namespace anemone::ops
