// Elementwise functions of two operands, comparisons, logic, select.
#include "anemone/ops/op_test_util.h"

namespace anemone::ops {
namespace {

const double kNan = std::nan("");

void check(std::string_view op, std::vector<double> x, std::vector<double> y, std::vector<double> out) {
  SCOPED_TRACE(op);
  Case c;
  const auto n = static_cast<std::int64_t>(x.size());
  expect(c.run(op, {{"x", c.in({n}, std::move(x))}, {"y", c.in({n}, std::move(y))}}), {n}, out);
}

TEST(ElementwiseBinary, Arithmetic) {
  check("add", {1, 2}, {3, -2}, {4, 0});
  check("sub", {1, 2}, {3, -2}, {-2, 4});
  check("mul", {2, 3}, {4, -1}, {8, -3});
  check("real_div", {1, 3}, {4, -2}, {0.25, -1.5});
  check("floor_div", {7, -7}, {2, 2}, {3, -4});
  check("mod", {7, -7, 7, -7}, {3, 3, -3, -3}, {1, 2, -2, -1});
  check("pow", {2, -8, -8}, {3, 2, 0.5}, {8, 64, kNan});
  check("maximum", {1, kNan, 3}, {2, 0, kNan}, {2, kNan, kNan});
  check("minimum", {1, kNan, 3}, {2, 0, kNan}, {1, kNan, kNan});
}

TEST(ElementwiseBinary, ComparisonsGiveBool) {
  check("greater", {1, 2, 3}, {2, 2, 2}, {0, 0, 1});
  check("greater_equal", {1, 2, 3}, {2, 2, 2}, {0, 1, 1});
  check("less", {1, 2, 3}, {2, 2, 2}, {1, 0, 0});
  check("less_equal", {1, 2, 3}, {2, 2, 2}, {1, 1, 0});
  check("equal", {1, 2, kNan}, {2, 2, kNan}, {0, 1, 0});
  check("not_equal", {1, 2, kNan}, {2, 2, kNan}, {1, 0, 1});
  Case c;
  EXPECT_EQ(c.infer("less", {{"x", c.typed({2})}, {"y", c.typed({2})}})->front(), Type::tensor(DType::boolean, {2}));
}

TEST(ElementwiseBinary, Logic) {
  for (const auto& [op, out] : std::vector<std::pair<const char*, std::vector<double>>>{
           {"logical_and", {0, 0, 0, 1}}, {"logical_or", {0, 1, 1, 1}}, {"logical_xor", {0, 1, 1, 0}}}) {
    Case c;
    expect(c.run(op, {{"x", c.in(DType::boolean, {4}, {0, 0, 1, 1})}, {"y", c.in(DType::boolean, {4}, {0, 1, 0, 1})}}),
           {4}, out);
  }
}

TEST(ElementwiseBinary, Broadcasting) {
  Case c;
  expect(c.run("sub", {{"x", c.in({2, 1}, {10, 20})}, {"y", c.in({3}, {1, 2, 3})}}), {2, 3}, {9, 8, 7, 19, 18, 17});
  Case d;
  expect(d.run("add", {{"x", d.in(Dims{}, {1})}, {"y", d.in({1, 2}, {1, 2})}}), {1, 2}, {2, 3});
}

TEST(ElementwiseBinary, UnknownExtentsBroadcast) {
  Case c;
  const auto types = c.infer("add", {{"x", c.typed({kUnknown, 4, kUnknown})}, {"y", c.typed({2, 1, 1})}});
  EXPECT_EQ(types->front().dims, (Dims{2, 4, kUnknown}));
}

TEST(ElementwiseBinary, C1ShapesMustFit) {
  Case c;
  expect_refused(c.infer("add", {{"x", c.typed({2, 3})}, {"y", c.typed({2})}}), "[2] does not broadcast with [2,3]");
}

TEST(ElementwiseBinary, DtypesMustBeEqual) {
  Case c;
  expect_refused(c.infer("add", {{"x", c.typed({2})}, {"y", c.typed(Type::tensor(DType::fp16, {2}))}}), "is fp16");
}

TEST(ElementwiseBinary, Select) {
  Case c;
  expect(c.run("select", {{"cond", c.in(DType::boolean, {2, 1}, {1, 0})},
                          {"a", c.in({2, 2}, {1, 2, 3, 4})},
                          {"b", c.in(Dims{}, {-1})}}),
         {2, 2}, {1, 2, -1, -1});
}

TEST(ElementwiseBinary, SelectC2CondFitsIntoTheRest) {
  Case c;
  expect_refused(
      c.infer("select",
              {{"cond", c.typed(Type::tensor(DType::boolean, {3, 2}))}, {"a", c.typed({2})}, {"b", c.typed({2})}}),
      "does not broadcast into [2]");
}

}  // namespace
}  // namespace anemone::ops
