// topk, argsort, non_zero.
#include "anemone/ops/op_test_util.h"

namespace anemone::ops {
namespace {

// The first form has no words for sorting, indices and their dtype; later ones say what it does.
TEST(TopK, GivesSortedValuesAndIndicesBeforeItHadAChoice) {
  Case c(Target::ios15);
  const auto types = c.infer("topk", {{"x", c.typed({3})}, {"k", 2}});
  ASSERT_TRUE(types) << render(types.error());
  ASSERT_EQ(types->size(), 2u);
  EXPECT_EQ((*types)[1], Type::tensor(DType::int32, {2}));
}

TEST(TopK, ValuesAndIndices) {
  Case c;
  auto result = c.run("topk", {{"x", c.in({1, 4}, {1, 7, 3, 7})}, {"k", 2}});
  expect(result, {1, 2}, {7, 7});
  expect_array((*result)[1], {1, 2}, {1, 3});  // equals keep their order
  EXPECT_EQ((*result)[1].dtype, DType::int32);
  Case d;
  result = d.run(
      "topk",
      {{"x", d.in({2, 2}, {4, 1, 2, 3})}, {"k", -1}, {"axis", 0}, {"ascending", true}, {"return_indices", false}});
  expect(result, {2, 2}, {2, 1, 4, 3});
  EXPECT_EQ(result->size(), 1u);
}
TEST(TopK, C1C2C3) {
  Case c;
  expect_refused(c.infer("topk", {{"x", c.typed({2})}, {"output_indices_dtype", "int64"}}), "\"int64\" is not one of");
  expect_refused(c.infer("topk", {{"x", c.typed({2})}, {"axis", 1}}), "axis 1 is outside");
  expect_refused(c.infer("topk", {{"x", c.typed({2})}, {"k", 3}}), "3 of 2 elements");
  expect_refused(c.infer("topk", {{"x", c.typed({2})}, {"k", 0}}), "0 of 2 elements");
}

TEST(Argsort, GreatestFirstByDefault) {
  Case c;
  expect(c.run("argsort", {{"x", c.in({3}, {2, 3, 1})}}), {3}, {1, 0, 2});
  Case d;
  expect(d.run("argsort", {{"x", d.in({2, 2}, {2, 3, 1, 3})}, {"axis", 0}, {"ascending", true}}), {2, 2}, {1, 0, 0, 1});
  Case e;
  expect_refused(e.infer("argsort", {{"x", e.typed({2})}, {"axis", 1}}), "axis 1 is outside");
}

TEST(NonZero, RowsOfIndices) {
  Case c;
  expect(c.run("non_zero", {{"x", c.in({2, 2}, {0, 5, 0, 6})}}), {2, 2}, {0, 1, 1, 1});
  Case d;
  EXPECT_EQ(d.infer("non_zero", {{"x", d.typed({2, 2})}})->front(), Type::tensor(DType::int32, {kUnknown, 2}));
}

}  // namespace
}  // namespace anemone::ops
