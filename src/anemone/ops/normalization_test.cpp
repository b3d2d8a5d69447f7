// Normalizations.
#include "anemone/ops/op_test_util.h"

namespace anemone::ops {
namespace {

TEST(Normalization, BatchNorm) {
  Case c;
  expect(c.run("batch_norm", {{"x", c.in({1, 2, 2}, {1, 3, 10, 20})},
                              {"mean", c.fixed({2}, {1, 10})},
                              {"variance", c.fixed({2}, {4, 25})},
                              {"gamma", c.fixed({2}, {2, 1})},
                              {"beta", c.fixed({2}, {0, 1})},
                              {"epsilon", c.number(0)}}),
         {1, 2, 2}, {0, 2, 1, 3});
}
TEST(Normalization, BatchNormDefaults) {
  Case c;
  expect(
      c.run("batch_norm", {{"x", c.in({1, 1, 1}, {3})}, {"mean", c.fixed({1}, {1})}, {"variance", c.fixed({1}, {1})}}),
      {1, 1, 1}, {2 / std::sqrt(1 + 1e-5)});
}
TEST(Normalization, BatchNormC1C2) {
  Case c;
  expect_refused(c.infer("batch_norm",
                         {{"x", c.typed({1, 2})}, {"mean", c.fixed({2}, {1, 1})}, {"variance", c.fixed({2}, {1, 1})}}),
                 "rank 3 to 5");
  Case d;
  expect_refused(
      d.infer("batch_norm",
              {{"x", d.typed({1, 2, 3})}, {"mean", d.fixed({2}, {1, 1})}, {"variance", d.fixed({3}, {1, 1, 1})}}),
      "variance: [2] is needed");
}

TEST(Normalization, InstanceNorm) {
  Case c;
  expect(c.run("instance_norm", {{"x", c.in({1, 2, 2}, {1, 3, 10, 30})},
                                 {"gamma", c.fixed({2}, {1, 2})},
                                 {"beta", c.fixed({2}, {0, 5})},
                                 {"epsilon", c.number(0)}}),
         {1, 2, 2}, {-1, 1, 3, 7});
}
TEST(Normalization, InstanceNormC1) {
  Case c;
  expect_refused(c.infer("instance_norm", {{"x", c.typed({1, 2, 1, 1, 1})}}), "rank 3 to 4");
}

TEST(Normalization, LayerNormOverTheLastAxis) {
  Case c;
  expect(c.run("layer_norm", {{"x", c.in({2, 2}, {1, 3, 10, 30})},
                              {"axes", {-1}},
                              {"gamma", c.fixed({2}, {1, 2})},
                              {"beta", c.fixed({2}, {0, 5})},
                              {"epsilon", c.number(0)}}),
         {2, 2}, {-1, 7, -1, 7});
}
TEST(Normalization, LayerNormOverTheFirstAxisAndAll) {
  Case c;
  expect(c.run("layer_norm", {{"x", c.in({2, 2}, {1, 10, 3, 30})}, {"axes", {0}}, {"epsilon", c.number(0)}}), {2, 2},
         {-1, -1, 1, 1});
  Case all;
  expect(all.run("layer_norm", {{"x", all.in({2, 2}, {-1, 1, -1, 1})}, {"epsilon", all.number(3)}}), {2, 2},
         {-0.5, 0.5, -0.5, 0.5});
}
TEST(Normalization, LayerNormC1C2) {
  Case c;
  expect_refused(c.infer("layer_norm", {{"x", c.typed({2, 3})}, {"axes", {1, -1}}}), "given twice");
  Case d;
  expect_refused(d.infer("layer_norm", {{"x", d.typed({2, 3})}, {"axes", {1}}, {"gamma", d.fixed({2}, {1, 1})}}),
                 "[3] is needed, [2] is given");
}

TEST(Normalization, L2NormCoversTheLastThreeDimensions) {
  Case c;
  expect(c.run("l2_norm", {{"x", c.in({2, 1, 1, 2}, {3, 4, 6, 8})}, {"epsilon", c.number(0)}}), {2, 1, 1, 2},
         {0.6, 0.8, 0.6, 0.8});
  Case d;
  expect(d.run("l2_norm", {{"x", d.in({1, 2, 1}, {3, 4})}, {"epsilon", d.number(0)}}), {1, 2, 1}, {0.6, 0.8});
}
TEST(Normalization, L2NormC1) {
  Case c;
  expect_refused(c.infer("l2_norm", {{"x", c.typed({2, 3})}}), "rank 3 to 5");
}

TEST(Normalization, LocalResponse) {
  Case c;  // size 3: neighbours on both sides
  expect(c.run("local_response_norm", {{"x", c.in({1, 3, 1, 1}, {1, 2, 3})},
                                       {"size", 3},
                                       {"alpha", c.number(3)},
                                       {"beta", c.number(1)},
                                       {"k", c.number(0)}}),
         {1, 3, 1, 1}, {1.0 / 5, 2.0 / 14, 3.0 / 13});
  Case d;  // of rank 3 the channels are the first dimension
  expect(d.run("local_response_norm", {{"x", d.in({3, 1, 2}, {1, 1, 2, 2, 3, 3})},
                                       {"size", 3},
                                       {"alpha", d.number(3)},
                                       {"beta", d.number(1)},
                                       {"k", d.number(0)}}),
         {3, 1, 2}, {1.0 / 5, 1.0 / 5, 2.0 / 14, 2.0 / 14, 3.0 / 13, 3.0 / 13});
}
TEST(Normalization, LocalResponseC1C2) {
  Case c;
  expect_refused(c.infer("local_response_norm", {{"x", c.typed({1, 3})}, {"size", 3}}), "rank 3 to 5");
  Case d;
  expect_refused(d.infer("local_response_norm", {{"x", d.typed({1, 3, 1})}, {"size", 0}}), "0 is not positive");
}

}  // namespace
}  // namespace anemone::ops
