// slice_by_index, slice_by_size, slice_update.
#include "anemone/ops/op_test_util.h"

namespace anemone::ops {
namespace {

const std::vector<double> kSix{1, 2, 3, 4, 5, 6};
const std::vector<double> kFive{0, 1, 2, 3, 4};

TEST(SliceByIndex, BeginEndStride) {
  Case c;
  expect(c.run("slice_by_index", {{"x", c.in({2, 3}, kSix)}, {"begin", {0, 1}}, {"end", {2, 3}}}), {2, 2},
         {2, 3, 5, 6});
  Case d;
  expect(d.run("slice_by_index", {{"x", d.in({5}, kFive)}, {"begin", {0}}, {"end", {5}}, {"stride", {2}}}), {3},
         {0, 2, 4});
}
TEST(SliceByIndex, NegativeIndicesCountFromTheEnd) {
  Case c;
  expect(c.run("slice_by_index", {{"x", c.in({5}, kFive)}, {"begin", {-3}}, {"end", {-1}}}), {2}, {2, 3});
}
TEST(SliceByIndex, MasksOpenBothEnds) {
  Case c;
  expect(c.run("slice_by_index",
               {{"x", c.in({5}, kFive)}, {"begin", {3}}, {"end", {2}}, {"begin_mask", make_bools({true})}}),
         {2}, {0, 1});
  Case d;
  expect(d.run("slice_by_index",
               {{"x", d.in({5}, kFive)}, {"begin", {3}}, {"end", {0}}, {"end_mask", make_bools({true})}}),
         {2}, {3, 4});
}
TEST(SliceByIndex, NegativeStrideReverses) {
  Case c;
  expect(c.run("slice_by_index", {{"x", c.in({5}, kFive)},
                                  {"begin", {0}},
                                  {"end", {0}},
                                  {"stride", {-2}},
                                  {"begin_mask", make_bools({true})},
                                  {"end_mask", make_bools({true})}}),
         {3}, {4, 2, 0});
  Case d;
  expect(d.run("slice_by_index", {{"x", d.in({5}, kFive)}, {"begin", {3}}, {"end", {1}}, {"stride", {-1}}}), {2},
         {3, 2});
}
TEST(SliceByIndex, SqueezeTakesOneIndex) {
  Case c;
  expect(c.run("slice_by_index", {{"x", c.in({2, 3}, kSix)},
                                  {"begin", {-1, 0}},
                                  {"end", {0, 3}},
                                  {"squeeze_mask", make_bools({true, false})}}),
         {3}, {4, 5, 6});
}
TEST(SliceByIndex, RunTimeIndices) {
  Case c;
  expect(
      c.run("slice_by_index",
            {{"x", c.in({5}, kFive)}, {"begin", c.in(DType::int32, {1}, {1})}, {"end", c.in(DType::int32, {1}, {4})}}),
      {3}, {1, 2, 3});
}
TEST(SliceByIndex, UnknownExtents) {
  Case c;
  EXPECT_EQ(c.infer("slice_by_index", {{"x", c.typed({kUnknown, 4})},
                                       {"begin", {0, 1}},
                                       {"end", {1, 3}},
                                       {"squeeze_mask", make_bools({true, false})}})
                ->front()
                .dims,
            (Dims{2}));
  EXPECT_EQ(c.infer("slice_by_index", {{"x", c.typed({kUnknown})}, {"begin", {0}}, {"end", {1}}})->front().dims,
            (Dims{kUnknown}));
}
TEST(SliceByIndex, C1C2C3C4) {
  Case c;
  expect_refused(c.infer("slice_by_index", {{"x", c.typed({2, 3})}, {"begin", {0}}, {"end", {1, 1}}}),
                 "begin: [2] is needed");
  expect_refused(c.infer("slice_by_index", {{"x", c.typed({5})}, {"begin", {0}}, {"end", {1}}, {"stride", {0}}}),
                 "is 0 in dimension 0");
  expect_refused(c.infer("slice_by_index", {{"x", c.typed({5})}, {"begin", {3}}, {"end", {1}}}), "3 is behind end = 1");
  expect_refused(c.infer("slice_by_index",
                         {{"x", c.typed({5})}, {"begin", {5}}, {"end", {6}}, {"squeeze_mask", make_bools({true})}}),
                 "5 is outside");
}

TEST(SliceBySize, SizeAndRest) {
  Case c;
  expect(c.run("slice_by_size", {{"x", c.in({2, 3}, kSix)}, {"begin", {1, 0}}, {"size", {1, -1}}}), {1, 3}, {4, 5, 6});
  Case d;
  expect(d.run("slice_by_size", {{"x", d.in({5}, kFive)}, {"begin", d.in(DType::int32, {1}, {2})}, {"size", {2}}}), {2},
         {2, 3});
}
TEST(SliceBySize, C1C2AndRunTime) {
  Case c;
  expect_refused(c.infer("slice_by_size", {{"x", c.typed({5})}, {"begin", {0, 0}}, {"size", {1}}}), "[1] is needed");
  expect_refused(c.infer("slice_by_size", {{"x", c.typed({5})}, {"begin", {3}}, {"size", {3}}}),
                 "3 does not fit into dimension 0");
  expect_refused(c.infer("slice_by_size", {{"x", c.typed({5})}, {"begin", {6}}, {"size", {-1}}}), "does not fit");
  Case d;
  expect_refused(
      d.run("slice_by_size", {{"x", d.in({5}, kFive)}, {"begin", d.in(DType::int32, {1}, {4})}, {"size", {2}}}),
      "4 with size 2 is outside of [5]");
}

TEST(SliceUpdate, ReplacesASlice) {
  Case c(Target::ios18);
  expect(c.run("slice_update",
               {{"x", c.in({2, 3}, kSix)}, {"update", c.in({2, 1}, {-1, -2})}, {"begin", {0, 1}}, {"end", {2, 2}}}),
         {2, 3}, {1, -1, 3, 4, -2, 6});
  Case d(Target::ios18);
  expect(d.run("slice_update", {{"x", d.in({2, 3}, kSix)},
                                {"update", d.in({3}, {7, 8, 9})},
                                {"begin", {1, 0}},
                                {"end", {0, 0}},
                                {"stride", {1, -1}},
                                {"begin_mask", make_bools({false, true})},
                                {"end_mask", make_bools({false, true})},
                                {"squeeze_mask", make_bools({true, false})}}),
         {2, 3}, {1, 2, 3, 9, 8, 7});
}
TEST(SliceUpdate, C5Shape) {
  Case c(Target::ios18);
  expect_refused(c.infer("slice_update",
                         {{"x", c.typed({2, 3})}, {"update", c.typed({2, 2})}, {"begin", {0, 1}}, {"end", {2, 2}}}),
                 "is [2,2], the slice is [2,1]");
}

}  // namespace
}  // namespace anemone::ops
