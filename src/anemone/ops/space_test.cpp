// Moves between space, depth and batch.
#include "anemone/ops/op_test_util.h"

namespace anemone::ops {
namespace {

const std::vector<double> kEight{0, 1, 2, 3, 4, 5, 6, 7};

TEST(Space, DepthToSpaceTakesTheBlockFirst) {
  Case c;  // channel (by·2 + bx)·2 + c'
  expect(c.run("depth_to_space", {{"x", c.in({1, 8, 1, 1}, kEight)}, {"block_size", 2}}), {1, 2, 2, 2},
         {0, 2, 4, 6, 1, 3, 5, 7});
}
TEST(Space, PixelShuffleTakesTheChannelFirst) {
  Case c;  // channel c'·4 + fy·2 + fx
  expect(c.run("pixel_shuffle", {{"x", c.in({1, 8, 1, 1}, kEight)}, {"upscale_factor", 2}}), {1, 2, 2, 2}, kEight);
}
TEST(Space, InversesUndo) {
  Case c;
  expect(c.run("space_to_depth", {{"x", c.in({1, 2, 2, 2}, {0, 2, 4, 6, 1, 3, 5, 7})}, {"block_size", 2}}),
         {1, 8, 1, 1}, kEight);
  Case d;
  expect(
      d.run("pixel_unshuffle", {{"x", d.in({1, 2, 2, 2}, kEight)}, {"downscale_factor", d.number(2, DType::uint32)}}),
      {1, 8, 1, 1}, kEight);
}
TEST(Space, C1C2C3) {
  Case c;
  expect_refused(c.infer("depth_to_space", {{"x", c.typed({8, 1, 1})}, {"block_size", 2}}), "rank 4 is needed");
  expect_refused(c.infer("depth_to_space", {{"x", c.typed({1, 8, 1, 1})}, {"block_size", 0}}), "0 is not a factor");
  expect_refused(c.infer("pixel_shuffle", {{"x", c.typed({1, 6, 1, 1})}, {"upscale_factor", 2}}),
                 "2 does not divide [1,6,1,1]");
  expect_refused(c.infer("space_to_depth", {{"x", c.typed({1, 6, 3, 2})}, {"block_size", 2}}),
                 "2 does not divide [1,6,3,2]");
}

TEST(Batch, ThereAndBack) {
  const std::vector<double> plane{1, 2, 3, 4};
  Case c;
  expect(c.run("space_to_batch", {{"x", c.in({1, 1, 2, 2}, plane)},
                                  {"block_shape", {2, 2}},
                                  {"paddings", c.fixed(DType::int32, {2, 2}, {0, 0, 1, 1})}}),
         {4, 1, 1, 2}, {0, 2, 1, 0, 0, 4, 3, 0});
  Case d;
  expect(d.run("batch_to_space", {{"x", d.in({4, 1, 1, 2}, {0, 2, 1, 0, 0, 4, 3, 0})},
                                  {"block_shape", {2, 2}},
                                  {"crops", d.fixed(DType::int32, {2, 2}, {0, 0, 1, 1})}}),
         {1, 1, 2, 2}, plane);
}
TEST(Batch, BadCases) {
  const auto infer = [](std::string_view op, Dims x, Dims block, std::vector<double> margins) {
    Case c;
    const char* param = op == "space_to_batch" ? "paddings" : "crops";
    return c.infer(op, {{"x", c.typed(x)},
                        {"block_shape", block},
                        {param, c.fixed(DType::int32, {static_cast<std::int64_t>(margins.size()) / 2, 2}, margins)}});
  };
  expect_refused(infer("space_to_batch", {1, 2, 2}, {2, 2}, {0, 0, 0, 0}), "rank 4 is needed");                   // C1
  expect_refused(infer("space_to_batch", {1, 1, 2, 2}, {2}, {0, 0, 0, 0}), "[2] is needed, [1] is given");        // C2
  expect_refused(infer("space_to_batch", {1, 1, 2, 2}, {2, 2}, {0, 0}), "[2,2] is needed, [1,2] is given");       // C3
  expect_refused(infer("space_to_batch", {1, 1, 2, 2}, {0, 2}, {0, 0, 0, 0}), "[0,2] is not positive");           // C4
  expect_refused(infer("space_to_batch", {1, 1, 2, 2}, {2, 2}, {0, -1, 0, 0}), "negative somewhere");             // C5
  expect_refused(infer("space_to_batch", {1, 1, 3, 2}, {2, 2}, {0, 0, 0, 0}), "2×2 does not divide 3×2");         // C6
  expect_refused(infer("batch_to_space", {3, 1, 2, 2}, {2, 2}, {0, 0, 0, 0}), "does not divide the batch of 3");  // C6
  expect_refused(infer("batch_to_space", {4, 1, 1, 2}, {2, 2}, {1, 1, 0, 0}), "leaves nothing");                  // C7
}

}  // namespace
}  // namespace anemone::ops
