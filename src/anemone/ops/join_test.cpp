// concat, stack, split.
#include "anemone/ops/op_test_util.h"

namespace anemone::ops {
namespace {

std::vector<Value*> list(std::initializer_list<Value*> values) { return values; }

TEST(Concat, AlongAnAxis) {
  Case c;
  expect(c.run("concat", {{"values", list({c.in({2, 1}, {1, 2}), c.in({2, 2}, {3, 4, 5, 6})})}, {"axis", -1}}), {2, 3},
         {1, 3, 4, 2, 5, 6});
  Case d;
  expect(d.run("concat", {{"values", list({d.in({1, 2}, {1, 2}), d.in({2, 2}, {3, 4, 5, 6})})}, {"axis", 0}}), {3, 2},
         {1, 2, 3, 4, 5, 6});
}
TEST(Concat, Interleaved) {
  Case c;
  expect(c.run("concat", {{"values", list({c.in({2}, {1, 2}), c.in({2}, {3, 4})})}, {"axis", 0}, {"interleave", true}}),
         {4}, {1, 3, 2, 4});
}
TEST(Concat, ScalarsMakeAVector) {
  Case c;
  expect(c.run("concat", {{"values", list({c.in(Dims{}, {1}), c.in(Dims{}, {2})})}, {"axis", 0}}), {2}, {1, 2});
}
TEST(Concat, UnknownExtents) {
  Case c;
  EXPECT_EQ(c.infer("concat", {{"values", list({c.typed({kUnknown, 2}), c.typed({3, kUnknown})})}, {"axis", 0}})
                ->front()
                .dims,
            (Dims{kUnknown, 2}));
}
TEST(Concat, C1C2C3C4) {
  Case c;
  expect_refused(c.infer("concat", {{"values", list({c.typed({2}), c.typed({2})})}, {"axis", 1}}), "axis 1 is outside");
  expect_refused(c.infer("concat", {{"values", list({c.typed({2}), c.typed({2, 1})})}, {"axis", 0}}),
                 "operand 1 has rank 2");
  expect_refused(c.infer("concat", {{"values", list({c.typed({2, 2}), c.typed({2, 3})})}, {"axis", 0}}),
                 "only dimension 0 may differ");
  expect_refused(c.infer("concat", {{"values", list({c.typed({2}), c.typed({3})})}, {"axis", 0}, {"interleave", true}}),
                 "needs equal shapes");
}

TEST(Stack, AddsAnAxis) {
  Case c;
  expect(c.run("stack", {{"values", list({c.in({2}, {1, 2}), c.in({2}, {3, 4})})}, {"axis", 1}}), {2, 2}, {1, 3, 2, 4});
  Case d;
  expect(d.run("stack", {{"values", list({d.in({2}, {1, 2}), d.in({2}, {3, 4})})}, {"axis", 0}}), {2, 2}, {1, 2, 3, 4});
}
TEST(Stack, C1C2) {
  Case c;
  expect_refused(c.infer("stack", {{"values", list({c.typed({2}), c.typed({3})})}, {"axis", 0}}), "operand 1 is [3]");
  expect_refused(c.infer("stack", {{"values", list({c.typed({2}), c.typed({2})})}, {"axis", 2}}), "axis 2 is outside");
}

TEST(Split, EvenAndBySizes) {
  Case c;
  auto result = c.run("split", {{"x", c.in({1, 4}, {1, 2, 3, 4})}, {"num_splits", 2}, {"axis", 1}});
  expect(result, {1, 2}, {1, 2});
  expect_array((*result)[1], {1, 2}, {3, 4});
  Case d;
  result = d.run("split", {{"x", d.in({3, 2}, {1, 2, 3, 4, 5, 6})}, {"split_sizes", {1, 2}}, {"axis", 0}});
  expect(result, {1, 2}, {1, 2});
  expect_array((*result)[1], {2, 2}, {3, 4, 5, 6});
}
TEST(Split, C1C2C3C4) {
  Case c;
  expect_refused(c.infer("split", {{"x", c.typed({4})}, {"axis", 0}}), "0 parts with 0 sizes");
  expect_refused(c.infer("split", {{"x", c.typed({4})}, {"num_splits", 3}, {"split_sizes", {2, 2}}, {"axis", 0}}),
                 "3 parts with 2 sizes");
  expect_refused(c.infer("split", {{"x", c.typed({4})}, {"num_splits", 2}, {"axis", 1}}), "axis 1 is outside");
  expect_refused(c.infer("split", {{"x", c.typed({5})}, {"num_splits", 2}, {"axis", 0}}), "2 does not divide 5");
  expect_refused(c.infer("split", {{"x", c.typed({5})}, {"split_sizes", {2, 2}}, {"axis", 0}}), "do not add up to 5");
}

}  // namespace
}  // namespace anemone::ops
