// Operations on shapes.
#include "anemone/ops/op_test_util.h"

namespace anemone::ops {
namespace {

const std::vector<double> kSix{1, 2, 3, 4, 5, 6};

Dims inferred(Case& c, std::string_view op, Arguments arguments) {
  const auto types = c.infer(op, arguments);
  EXPECT_TRUE(types) << render(types.error());
  return types ? types->front().dims : Dims{};
}

TEST(Reshape, KeepsTheOrder) {
  Case c;
  expect(c.run("reshape", {{"x", c.in({2, 3}, kSix)}, {"shape", {3, -1}}}), {3, 2}, kSix);
}
TEST(Reshape, ZeroCopiesFromTheRightFromIos17) {
  Case now(Target::ios17);
  EXPECT_EQ(inferred(now, "reshape", {{"x", now.typed({2, 3, 4})}, {"shape", {-1, 0}}}), (Dims{6, 4}));
  Case then(Target::ios16);
  EXPECT_EQ(inferred(then, "reshape", {{"x", then.typed({2, 3, 4})}, {"shape", {0, -1, 2}}}), (Dims{2, 6, 2}));
}
TEST(Reshape, ShapeOfRunTime) {
  Case c;
  expect(c.run("reshape", {{"x", c.in({2, 3}, kSix)}, {"shape", c.in(DType::int32, {3}, {1, 6, 1})}}), {1, 6, 1}, kSix);
}
TEST(Reshape, UnknownExtents) {
  Case c;
  EXPECT_EQ(inferred(c, "reshape", {{"x", c.typed({kUnknown, 3})}, {"shape", {-1, 3}}}), (Dims{kUnknown, 3}));
  EXPECT_EQ(inferred(c, "reshape", {{"x", c.typed({2, 3})}, {"shape", c.typed(Type::tensor(DType::int32, {2}))}}),
            (Dims{kUnknown, kUnknown}));
}
TEST(Reshape, C2C3C4C5) {
  Case c;
  expect_refused(c.infer("reshape", {{"x", c.typed({2, 3})}, {"shape", {-1, -1}}}), "two extents of -1");
  expect_refused(c.infer("reshape", {{"x", c.typed({2, 3})}, {"shape", {-2, 3}}}), "negative extent");
  expect_refused(c.infer("reshape", {{"x", c.typed({2, 3})}, {"shape", {4, 2}}}), "does not hold the 6 elements");
  expect_refused(c.infer("reshape", {{"x", c.typed({2, 3})}, {"shape", {4, -1}}}), "does not hold the 6 elements");
  Case old(Target::ios16);
  expect_refused(old.infer("reshape", {{"x", old.typed({2, 3})}, {"shape", {0, 3, 1}}}), "needs the rank of x");
  expect_refused(old.infer("reshape", {{"x", old.typed({2, 3})}, {"shape", old.number(6, DType::int32)}}),
                 "rank 1 is needed");
}

TEST(ReshapeLike, GluesPiecesOfShapes) {
  Case c;
  const auto list = [&](std::vector<double> values, DType dtype) {
    std::vector<Value*> out;
    for (double value : values) out.push_back(c.number(value, dtype));
    return out;
  };
  std::vector<Value*> references{c.in({1, 3}, {0, 0, 0}), c.in({2, 5}, std::vector<double>(10))};
  expect(c.run("reshape_like", {{"x", c.in({6}, kSix)},
                                {"ref_tensors", references},
                                {"begins", list({1, 0}, DType::int32)},
                                {"ends", list({0, 1}, DType::int32)},
                                {"end_masks", list({1, 0}, DType::boolean)}}),
         {3, 2}, kSix);
  expect_refused(c.infer("reshape_like", {{"x", c.typed({6})},
                                          {"ref_tensors", references},
                                          {"begins", list({1}, DType::int32)},
                                          {"ends", list({0, 1}, DType::int32)},
                                          {"end_masks", list({1, 0}, DType::boolean)}}),
                 "1 begins, 2 ends");
  expect_refused(c.infer("reshape_like", {{"x", c.typed({7})},
                                          {"ref_tensors", references},
                                          {"begins", list({1, 0}, DType::int32)},
                                          {"ends", list({0, 1}, DType::int32)},
                                          {"end_masks", list({1, 0}, DType::boolean)}}),
                 "does not hold [7]");
}

TEST(ExpandDims, AxesAreThoseOfTheResult) {
  Case c;
  expect(c.run("expand_dims", {{"x", c.in({2, 3}, kSix)}, {"axes", {0, -1}}}), {1, 2, 3, 1}, kSix);
  Case d;
  expect(d.run("expand_dims", {{"x", d.in(Dims{}, {5})}, {"axes", {0}}}), {1}, {5});
  Case e;
  expect_refused(e.infer("expand_dims", {{"x", e.typed({2})}, {"axes", {3}}}), "axis 3 is outside");
}

TEST(Squeeze, RemovesOnes) {
  Case c;
  expect(c.run("squeeze", {{"x", c.in({1, 2, 1, 3}, kSix)}}), {2, 3}, kSix);
  Case d;
  expect(d.run("squeeze", {{"x", d.in({1, 2, 1, 3}, kSix)}, {"axes", {0}}}), {2, 1, 3}, kSix);
  Case kept;  // another extent is kept without a word
  expect(kept.run("squeeze", {{"x", kept.in({1, 6}, kSix)}, {"axes", {0, 1}}}), {6}, kSix);
  Case bad;
  expect_refused(bad.infer("squeeze", {{"x", bad.typed({1, 2})}, {"axes", {2}}}), "axis 2 is outside");
}

TEST(Flatten2d, SplitsBeforeTheAxis) {
  Case c;
  expect(c.run("flatten2d", {{"x", c.in({1, 2, 3}, kSix)}, {"axis", -1}}), {2, 3}, kSix);
  Case d;
  expect_refused(d.infer("flatten2d", {{"x", d.typed({1, 2})}, {"axis", 3}}), "axis 3 is outside");
}

TEST(Transpose, MovesElements) {
  Case c;
  expect(c.run("transpose", {{"x", c.in({2, 3}, kSix)}, {"perm", {1, 0}}}), {3, 2}, {1, 4, 2, 5, 3, 6});
  Case d;
  expect(d.run("transpose", {{"x", d.in({1, 2, 3}, kSix)}, {"perm", {-1, 0, 1}}}), {3, 1, 2}, {1, 4, 2, 5, 3, 6});
}
TEST(Transpose, C1C2) {
  Case c;
  expect_refused(c.infer("transpose", {{"x", c.typed({2, 3})}, {"perm", {1, 1}}}), "given twice");
  expect_refused(c.infer("transpose", {{"x", c.typed({2, 3})}, {"perm", {1}}}), "has not the rank of x");
}

TEST(Shape, TellsExtents) {
  Case c;
  const auto result = c.run("shape", {{"x", c.in({2, 3}, kSix)}});
  expect(result, {2}, {2, 3});
  EXPECT_EQ(result->front().dtype, DType::int32);
}

}  // namespace
}  // namespace anemone::ops
