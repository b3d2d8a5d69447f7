// scatter, scatter_along_axis, scatter_nd.
#include "anemone/ops/op_test_util.h"

namespace anemone::ops {
namespace {

TEST(Scatter, ModesAndRepeatedIndices) {
  for (const auto& [mode, out] : std::vector<std::pair<const char*, std::vector<double>>>{{"update", {10, 8}},
                                                                                          {"add", {10, 34}},
                                                                                          {"sub", {10, 6}},
                                                                                          {"mul", {10, 960}},
                                                                                          {"div", {10, 20.0 / 48}},
                                                                                          {"max", {10, 20}},
                                                                                          {"min", {10, 6}}}) {
    SCOPED_TRACE(mode);
    Case c;
    expect(c.run("scatter",
                 {{"data", c.in({2}, {10, 20})}, {"indices", {1, -1}}, {"updates", c.in({2}, {6, 8})}, {"mode", mode}}),
           {2}, out);
  }
}
TEST(Scatter, AlongAnAxisAddsByDefault) {
  Case c;
  expect(
      c.run("scatter",
            {{"data", c.in({2, 2}, {1, 2, 3, 4})}, {"indices", {1}}, {"updates", c.in({2, 1}, {10, 20})}, {"axis", 1}}),
      {2, 2}, {1, 12, 3, 24});
}
TEST(Scatter, C1C2C3AndRunTime) {
  Case c;
  expect_refused(
      c.infer("scatter", {{"data", c.typed({2})}, {"indices", {0}}, {"updates", c.typed({1})}, {"mode", "set"}}),
      "\"set\" is not one of");
  expect_refused(c.infer("scatter", {{"data", c.typed({2})}, {"indices", {0}}, {"updates", c.typed({1})}, {"axis", 1}}),
                 "axis 1 is outside");
  expect_refused(c.infer("scatter", {{"data", c.typed({2})}, {"indices", {0}}, {"updates", c.typed({2})}}),
                 "updates: [1] is needed");
  Case d;
  expect_refused(d.run("scatter", {{"data", d.in({2}, {1, 2})}, {"indices", {2}}, {"updates", d.in({1}, {1})}}),
                 "2 is outside of 2");
}

TEST(ScatterAlongAxis, ElementByElement) {
  Case c;
  expect(c.run("scatter_along_axis", {{"data", c.in({2, 2}, {1, 2, 3, 4})},
                                      {"indices", c.fixed(DType::int32, {2, 1}, {1, 0})},
                                      {"updates", c.in({2, 1}, {10, 20})},
                                      {"axis", 1},
                                      {"mode", "update"}}),
         {2, 2}, {1, 10, 20, 4});
}
TEST(ScatterAlongAxis, C3C4) {
  Case c;
  expect_refused(c.infer("scatter_along_axis", {{"data", c.typed({2, 2})},
                                                {"indices", c.fixed(DType::int32, {1, 1}, {0})},
                                                {"updates", c.typed({1, 1})},
                                                {"axis", 1}}),
                 "indices: [2,1] is needed");
  expect_refused(c.infer("scatter_along_axis", {{"data", c.typed({2, 2})},
                                                {"indices", c.fixed(DType::int32, {2, 1}, {0, 0})},
                                                {"updates", c.typed({2, 2})},
                                                {"axis", 1}}),
                 "updates: [2,1] is needed");
}

TEST(ScatterNd, Slices) {
  Case c;
  expect(c.run("scatter_nd", {{"data", c.in({2, 2}, {1, 2, 3, 4})},
                              {"indices", c.fixed(DType::int32, {1, 1}, {1})},
                              {"updates", c.in({1, 2}, {10, 20})}}),
         {2, 2}, {1, 2, 13, 24});
  Case d;
  expect(d.run("scatter_nd", {{"data", d.in({2, 2}, {1, 2, 3, 4})},
                              {"indices", d.fixed(DType::int32, {2, 2}, {0, 0, 1, 1})},
                              {"updates", d.in({2}, {9, 8})},
                              {"mode", "update"}}),
         {2, 2}, {9, 2, 3, 8});
}
TEST(ScatterNd, C2C3C4) {
  Case c;
  expect_refused(c.infer("scatter_nd",
                         {{"data", c.typed({2})}, {"indices", c.number(0, DType::int32)}, {"updates", c.typed({1})}}),
                 "rank 1 to 5");
  expect_refused(c.infer("scatter_nd", {{"data", c.typed({2})}, {"indices", {0, 0}}, {"updates", c.typed(Dims{})}}),
                 "name 2 dimensions");
  expect_refused(c.infer("scatter_nd", {{"data", c.typed({2})}, {"indices", {0}}, {"updates", c.typed({1})}}),
                 "updates: [] is needed");
}

}  // namespace
}  // namespace anemone::ops
