// linear, matmul, einsum, attention.
#include "anemone/ops/op_test_util.h"

namespace anemone::ops {
namespace {

std::vector<Value*> list(std::initializer_list<Value*> values) { return values; }

TEST(Linear, RowsTimesTransposedWeight) {
  Case c;
  expect(c.run("linear", {{"x", c.in({2, 2}, {1, 2, 3, 4})},
                          {"weight", c.fixed({3, 2}, {1, 0, 0, 1, 1, 1})},
                          {"bias", c.fixed({3}, {0, 0, 10})}}),
         {2, 3}, {1, 2, 13, 3, 4, 17});
}
TEST(Linear, C1C2C3C4) {
  Case c;
  Value* weight = c.fixed({1, 2}, {1, 1});
  expect_refused(c.infer("linear", {{"x", c.typed(Dims{})}, {"weight", weight}}), "rank 1 to 5");
  expect_refused(c.infer("linear", {{"x", c.typed({2})}, {"weight", c.fixed({2}, {1, 1})}}), "rank 2 is needed");
  expect_refused(c.infer("linear", {{"x", c.typed({3})}, {"weight", weight}}), "takes 2 numbers, x has 3");
  expect_refused(c.infer("linear", {{"x", c.typed({2})}, {"weight", weight}, {"bias", c.fixed({2}, {1, 1})}}),
                 "bias: [1] is needed");
}

TEST(Matmul, TransposesAndBatches) {
  const std::vector<double> a{1, 2, 3, 4}, b{5, 6, 7, 8};
  const auto run = [&](bool tx, bool ty) {
    Case c;
    return c.run("matmul", {{"x", c.in({2, 2}, a)}, {"y", c.in({2, 2}, b)}, {"transpose_x", tx}, {"transpose_y", ty}});
  };
  expect(run(false, false), {2, 2}, {19, 22, 43, 50});
  expect(run(true, false), {2, 2}, {26, 30, 38, 44});
  expect(run(false, true), {2, 2}, {17, 23, 39, 53});
  expect(run(true, true), {2, 2}, {23, 31, 34, 46});
  Case c;
  expect(c.run("matmul", {{"x", c.in({2, 1, 1, 2}, {1, 2, 3, 4})}, {"y", c.in({2, 2, 1}, {1, 1, 10, 10})}}),
         {2, 2, 1, 1}, {3, 30, 7, 70});
}
TEST(Matmul, Vectors) {
  Case c;
  expect(c.run("matmul", {{"x", c.in({2}, {1, 2})}, {"y", c.in({2}, {3, 4})}}), {}, {11});
  Case d;
  expect(d.run("matmul", {{"x", d.in({2}, {1, 2})}, {"y", d.in({2, 2}, {1, 2, 3, 4})}}), {2}, {7, 10});
  Case e;
  expect(e.run("matmul", {{"x", e.in({2, 2}, {1, 2, 3, 4})}, {"y", e.in({2}, {1, 2})}}), {2}, {5, 11});
}
TEST(Matmul, C1C2C3C4) {
  Case c;
  expect_refused(c.infer("matmul", {{"x", c.typed(Type::tensor(DType::fp16, {2, 2}))}, {"y", c.typed({2, 2})}}),
                 "neither is constant");
  EXPECT_TRUE(c.infer("matmul", {{"x", c.typed(Type::tensor(DType::fp16, {1, 2}))}, {"y", c.fixed({2, 1}, {1, 1})}}));
  expect_refused(c.infer("matmul", {{"x", c.typed({2})}, {"y", c.typed({2, 2})}, {"transpose_x", true}}),
                 "x: a vector cannot be transposed");
  expect_refused(c.infer("matmul", {{"x", c.typed({2, 3})}, {"y", c.typed({2, 3})}}),
                 "has 2 rows where x has 3 columns");
  expect_refused(c.infer("matmul", {{"x", c.typed({2, 1, 1})}, {"y", c.typed({3, 1, 1})}}), "does not broadcast");
}

TEST(Einsum, BothEquationsByAnyLetters) {
  Case c;
  expect(c.run("einsum", {{"values", list({c.in({1, 1, 2}, {1, 2}), c.in({2, 1, 2}, {3, 4, 5, 6})})},
                          {"equation", "abc,cbd->abd"}}),
         {1, 1, 2}, {13, 16});
  Case d;  // h of the second is 1 and broadcasts
  expect(d.run("einsum", {{"values", list({d.in({1, 1, 2, 1}, {1, 2}), d.in({1, 1, 1, 1}, {10})})},
                          {"equation", "nchw, nwhu -> nchu"}}),
         {1, 1, 2, 1}, {10, 20});
}
TEST(Einsum, C1C2C3C4) {
  Case c;
  expect_refused(c.infer("einsum", {{"values", list({c.typed({1, 1, 2})})}, {"equation", "abc,cbd->abd"}}),
                 "2 are needed, 1 are given");
  expect_refused(c.infer("einsum", {{"values", list({c.typed({2, 2}), c.typed({2, 2})})}, {"equation", "ab,bc->ac"}}),
                 "is not nchw");
  expect_refused(
      c.infer("einsum", {{"values", list({c.typed({2, 2}), c.typed({2, 2})})}, {"equation", "abc,cbd->abd"}}),
      "ranks 2 and 2");
  expect_refused(
      c.infer("einsum", {{"values", list({c.typed({1, 1, 2}), c.typed({3, 1, 2})})}, {"equation", "abc,cbd->abd"}}),
      "do not fit the equation");
}

TEST(Products, WorkIsCounted) {
  Case c;
  Builder builder(c.function().body);
  const auto macs = [&](std::string_view op, Arguments arguments) {
    const Node* node = builder.add_node(op, arguments);
    return node ? node->def->macs(*node) : -1;
  };
  EXPECT_EQ(macs("linear", {{"x", c.typed({5, 2})}, {"weight", c.fixed({3, 2}, std::vector<double>(6))}}), 5 * 2 * 3);
  EXPECT_EQ(macs("matmul", {{"x", c.typed({7, 2, 3})}, {"y", c.typed({7, 2, 4})}, {"transpose_x", true}}),
            7 * 3 * 2 * 4);
  EXPECT_EQ(macs("einsum", {{"values", list({c.typed({5, 3, 2}), c.typed({2, 3, 4})})}, {"equation", "chw,whr->chr"}}),
            5 * 3 * 2 * 4);
}

TEST(Attention, WeighsValues) {
  Case c(Target::ios18);  // scores 0 and log 3, after division by √1
  expect(c.run("scaled_dot_product_attention", {{"query", c.in({1, 1, 1}, {1})},
                                                {"key", c.in({1, 2, 1}, {0, std::log(3)})},
                                                {"value", c.in({1, 2, 2}, {4, 0, 8, 4})}}),
         {1, 1, 2}, {7, 3}, 1e-5);
  Case masked(Target::ios18);
  expect(masked.run("scaled_dot_product_attention", {{"query", masked.in({1, 1, 1}, {1})},
                                                     {"key", masked.in({1, 2, 1}, {0, 5})},
                                                     {"value", masked.in({1, 2, 2}, {4, 0, 8, 4})},
                                                     {"attn_mask", masked.in(DType::boolean, {1, 2}, {1, 0})}}),
         {1, 1, 2}, {4, 0});
}
TEST(Attention, BadCases) {
  const auto infer = [](Dims q, Dims k, Dims value, Type mask) {
    Case c(Target::ios18);
    return c.infer(
        "scaled_dot_product_attention",
        {{"query", c.typed(q)}, {"key", c.typed(k)}, {"value", c.typed(value)}, {"attn_mask", c.typed(mask)}});
  };
  const Type fits = Type::tensor(DType::fp32, {1, 1});
  expect_refused(infer({2, 1}, {2, 1}, {2, 1}, fits), "rank 3 to 5");                          // C1
  expect_refused(infer({1, 2, 1}, {1, 1, 2, 1}, {1, 2, 1}, fits), "ranks 3, 4 and 3 differ");  // C2
  expect_refused(infer({1, 2, 1}, {2, 2, 1}, {1, 2, 1}, fits), "the batches of");              // C3
  expect_refused(infer({1, 2, 3}, {1, 2, 1}, {1, 2, 1}, fits), "fits neither");                // C4
  expect_refused(infer({1, 2, 1}, {1, 3, 1}, {1, 3, 1}, Type::tensor(DType::fp32, {3, 3})),
                 "does not broadcast into [1,2,3]");  // C5
  expect_refused(infer({1, 2, 1}, {1, 3, 1}, {1, 3, 1}, Type::tensor(DType::fp16, {1, 1})),
                 "is fp16, query is fp32");  // C6
}

}  // namespace
}  // namespace anemone::ops
