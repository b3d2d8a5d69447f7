// Elementwise functions of one operand.
#include "anemone/ops/op_test_util.h"

namespace anemone::ops {
namespace {

const double kInf = HUGE_VAL, kNan = std::nan("");

void check(std::string_view op, std::vector<double> x, std::vector<double> y, double tolerance = 1e-6) {
  SCOPED_TRACE(op);
  Case c;
  const auto n = static_cast<std::int64_t>(x.size());
  expect(c.run(op, {{"x", c.in({n}, std::move(x))}}), {n}, y, tolerance);
}

TEST(ElementwiseUnary, Arithmetic) {
  check("abs", {-1.5, 0, 2}, {1.5, 0, 2});
  check("square", {-3, 0.5}, {9, 0.25});
  check("sign", {-3, 0, 0.5}, {-1, 0, 1});
  check("sqrt", {4, 2, -1}, {2, std::sqrt(2), kNan});
}

TEST(ElementwiseUnary, IntegersStayIntegers) {
  Case c;
  const auto result = c.run("square", {{"x", c.in(DType::int32, {2}, {-3, 4})}});
  expect(result, {2}, {9, 16});
  EXPECT_EQ(result->front().dtype, DType::int32);
}

TEST(ElementwiseUnary, Rounding) {
  check("floor", {-1.5, 1.5}, {-2, 1});
  check("ceil", {-1.5, 1.5}, {-1, 2});
  check("round", {-1.5, -0.5, 0.5, 1.5, 2.5, 2.6}, {-2, 0, 0, 2, 2, 3});  // halves to even
}

TEST(ElementwiseUnary, Transcendental) {
  check("exp", {0, 1}, {1, 2.718281828});
  check("exp2", {0, 3, -1}, {1, 8, 0.5});
  check("erf", {0, 1}, {0, 0.842700793});
  check("sin", {0, 1}, {0, 0.841470985});
  check("cos", {0, 1}, {1, 0.540302306});
  check("tan", {0, 1}, {0, 1.557407725});
  check("asin", {0, 1}, {0, 1.570796327});
  check("acos", {1, 0}, {0, 1.570796327});
  check("atan", {0, 1}, {0, 0.785398163});
  check("atanh", {0, 0.5}, {0, 0.549306144});
  check("sinh", {0, 1}, {0, 1.175201194});
  check("cosh", {0, 1}, {1, 1.543080635});
}

TEST(ElementwiseUnary, EpsilonsOfLogRsqrtInverse) {
  check("log", {1, 2.718281828}, {0, 1});
  check("rsqrt", {4, 0}, {0.5, 1e6}, 1);  // the default of 1e-12 keeps it finite
  check("inverse", {0, 0.9999}, {1e4, 1}, 1e-2);
  Case c;
  expect(c.run("inverse", {{"x", c.in({1}, {1})}, {"epsilon", c.number(1)}}), {1}, {0.5});
  Case half;  // in fp16 the default of log is 0
  expect(half.run("log", {{"x", half.in(DType::fp16, {1}, {0})}}), {1}, {-kInf});
}

TEST(ElementwiseUnary, EpsilonHasTheDtypeOfXBeforeIos17) {
  Case old(Target::ios16);
  expect_refused(old.infer("rsqrt", {{"x", old.typed(Type::tensor(DType::fp16, {1}))}, {"epsilon", old.number(1e-5)}}),
                 "epsilon");
  Case now(Target::ios17);
  EXPECT_TRUE(now.infer("rsqrt", {{"x", now.typed(Type::tensor(DType::fp16, {1}))}, {"epsilon", now.number(1e-5)}}));
}

TEST(ElementwiseUnary, Clip) {
  Case c;
  expect(c.run("clip", {{"x", c.in({4}, {-5, 0.5, 9, kNan})}, {"alpha", c.number(-1)}, {"beta", c.number(1)}}), {4},
         {-1, 0.5, 1, kNan});
}

TEST(ElementwiseUnary, ClipC1NeedsAnInterval) {
  Case c;
  expect_refused(c.infer("clip", {{"x", c.typed({1})}, {"alpha", c.number(1)}, {"beta", c.number(1)}}),
                 "not below beta");
  Case old(Target::ios16);
  EXPECT_TRUE(old.infer("clip", {{"x", old.typed({1})}, {"alpha", old.number(1)}, {"beta", old.number(1)}}));
}

TEST(ElementwiseUnary, Threshold) {
  Case c;
  expect(c.run("threshold", {{"x", c.in({2}, {-5, 2})}, {"alpha", c.number(1)}}), {2}, {1, 2});
}

TEST(ElementwiseUnary, LogicalNot) {
  Case c;
  const auto result = c.run("logical_not", {{"x", c.in(DType::boolean, {2}, {1, 0})}});
  expect(result, {2}, {0, 1});
  EXPECT_EQ(result->front().dtype, DType::boolean);
}

TEST(ElementwiseUnary, HalfResultsAreRounded) {
  Case c;
  expect(c.run("exp", {{"x", c.in(DType::fp16, {2}, {1, 12})}}), {2}, {2.71875, kInf}, 0);
}

}  // namespace
}  // namespace anemone::ops
