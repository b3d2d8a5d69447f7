// gather, gather_along_axis, gather_nd.
#include "anemone/ops/op_test_util.h"

namespace anemone::ops {
namespace {

const std::vector<double> kSix{1, 2, 3, 4, 5, 6};

TEST(Gather, SlicesAlongAnAxis) {
  Case c;
  expect(c.run("gather", {{"x", c.in({2, 3}, kSix)}, {"indices", {2, 0}}, {"axis", 1}}), {2, 2}, {3, 1, 6, 4});
  Case d;  // a scalar index drops the dimension
  expect(d.run("gather", {{"x", d.in({2, 3}, kSix)}, {"indices", d.in(DType::int32, {}, {1})}}), {3}, {4, 5, 6});
  Case e;  // negative ones count from the end
  expect(e.run("gather", {{"x", e.in({2, 3}, kSix)}, {"indices", {-1}}}), {1, 3}, {4, 5, 6});
}
TEST(Gather, BatchDims) {
  Case c;
  expect(c.run("gather", {{"x", c.in({2, 3}, kSix)},
                          {"indices", c.fixed(DType::int32, {2, 1}, {0, 2})},
                          {"axis", 1},
                          {"batch_dims", 1}}),
         {2, 1}, {1, 6});
}
TEST(Gather, C1C2AndRunTime) {
  Case c;
  expect_refused(c.infer("gather", {{"x", c.typed({2, 3})}, {"indices", {0}}, {"axis", 2}}), "axis 2 is outside");
  expect_refused(c.infer("gather", {{"x", c.typed({2, 3})}, {"indices", {0}}, {"axis", 0}, {"batch_dims", 1}}),
                 "batch_dims: 1 for");
  expect_refused(c.infer("gather", {{"x", c.typed({2, 3})},
                                    {"indices", c.fixed(DType::int32, {3, 1}, {0, 0, 0})},
                                    {"axis", 1},
                                    {"batch_dims", 1}}),
                 "do not share 1 batch");
  Case d;
  expect_refused(d.run("gather", {{"x", d.in({2}, {1, 2})}, {"indices", {2}}}), "2 is outside of 2 elements");
}

TEST(GatherAlongAxis, ElementByElement) {
  Case c;
  expect(c.run("gather_along_axis",
               {{"x", c.in({2, 3}, kSix)}, {"indices", c.in(DType::int32, {2, 2}, {2, 0, 1, 1})}, {"axis", 1}}),
         {2, 2}, {3, 1, 5, 5});
}
TEST(GatherAlongAxis, C1C2) {
  Case c;
  expect_refused(c.infer("gather_along_axis", {{"x", c.typed({2, 3})}, {"indices", {0}}, {"axis", 2}}),
                 "axis 2 is outside");
  expect_refused(c.infer("gather_along_axis", {{"x", c.typed({2, 3})}, {"indices", {0}}, {"axis", 1}}),
                 "elsewhere than in dimension 1");
  expect_refused(c.infer("gather_along_axis",
                         {{"x", c.typed({2, 3})}, {"indices", c.fixed(DType::int32, {1, 2}, {0, 0})}, {"axis", 1}}),
                 "elsewhere");
}

TEST(GatherNd, PositionsInLeadingDimensions) {
  Case c;
  expect(c.run("gather_nd", {{"x", c.in({2, 3}, kSix)}, {"indices", c.fixed(DType::int32, {2, 2}, {0, 1, 1, 2})}}), {2},
         {2, 6});
  Case d;
  expect(d.run("gather_nd", {{"x", d.in({2, 3}, kSix)}, {"indices", d.fixed(DType::int32, {1, 1}, {1})}}), {1, 3},
         {4, 5, 6});
  Case e;
  expect(e.run("gather_nd",
               {{"x", e.in({2, 3}, kSix)}, {"indices", e.fixed(DType::int32, {2, 1}, {2, 0})}, {"batch_dims", 1}}),
         {2}, {3, 4});
}
TEST(GatherNd, C1C2C3) {
  Case c;
  expect_refused(
      c.infer("gather_nd",
              {{"x", c.typed({2, 3})}, {"indices", c.fixed(DType::int32, {2, 1}, {0, 0})}, {"batch_dims", 2}}),
      "batch_dims");
  expect_refused(c.infer("gather_nd", {{"x", c.typed({2, 3})}, {"indices", c.number(0, DType::int32)}}), "rank 1 to 5");
  expect_refused(c.infer("gather_nd", {{"x", c.typed({2, 3})}, {"indices", {0, 0, 0}}}), "name 3 dimensions");
}

}  // namespace
}  // namespace anemone::ops
