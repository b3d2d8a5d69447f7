// quantize and dequantize.
#include "anemone/ops/op_test_util.h"

namespace anemone::ops {
namespace {

TEST(Quantize, RoundsToEvenAndClips) {
  Case c;
  const auto result = c.run("quantize", {{"input", c.in({4}, {1, 5, -3, 1000})},
                                         {"scale", c.number(2)},
                                         {"zero_point", c.number(1, DType::int8)},
                                         {"output_dtype", "int8"}});
  expect(result, {4}, {1, 3, -1, 127});
  EXPECT_EQ(result->front().dtype, DType::int8);
  Case d;
  expect(
      d.run(
          "quantize",
          {{"input", d.in({2, 1}, {3, -8})}, {"scale", d.fixed({2}, {1, 2})}, {"axis", 0}, {"output_dtype", "uint8"}}),
      {2, 1}, {3, 0});
}
TEST(Dequantize, ScalesAlongAnAxis) {
  Case c;
  expect(c.run("dequantize", {{"input", c.in(DType::uint8, {2, 2}, {1, 2, 3, 4})},
                              {"scale", c.fixed({2}, {1, 10})},
                              {"zero_point", c.fixed(DType::uint8, {2}, {1, 0})},
                              {"axis", 1}}),
         {2, 2}, {0, 20, 2, 40});
}
TEST(Quantize, C1C2C3C4) {
  Case c;
  Value* x = c.typed({2, 3});
  Value* vector = c.fixed({3}, {1, 1, 1});
  expect_refused(c.infer("quantize", {{"input", x}, {"scale", c.number(1)}, {"axis", 0}, {"output_dtype", "int8"}}),
                 "given with a scalar scale");
  expect_refused(c.infer("quantize", {{"input", x}, {"scale", vector}, {"output_dtype", "int8"}}),
                 "needed with a scale that is a vector");
  expect_refused(c.infer("quantize", {{"input", x}, {"scale", vector}, {"axis", 0}, {"output_dtype", "int8"}}),
                 "scale: [2] is needed");
  expect_refused(c.infer("quantize", {{"input", x}, {"scale", c.number(1)}, {"output_dtype", "int4"}}),
                 "\"int4\" is not one of");
  expect_refused(
      c.infer(
          "quantize",
          {{"input", x}, {"scale", c.number(1)}, {"zero_point", c.number(1, DType::uint8)}, {"output_dtype", "int8"}}),
      "is uint8, the output is int8");
}

}  // namespace
}  // namespace anemone::ops
