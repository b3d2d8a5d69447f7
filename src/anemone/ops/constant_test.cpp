// identity, cast, compressed constants.
#include "anemone/ops/op_test_util.h"

namespace anemone::ops {
namespace {

TEST(Constant, Identity) {
  Case c;
  expect(c.run("identity", {{"x", c.in(DType::int32, {2}, {1, 2})}}), {2}, {1, 2});
}

TEST(Constant, CastTruncatesAndComparesWithZero) {
  Case c;
  const auto result = c.run("cast", {{"x", c.in({4}, {-1.9, 1.9, 0, 0.5})}, {"dtype", "int32"}});
  expect(result, {4}, {-1, 1, 0, 0});
  EXPECT_EQ(result->front().dtype, DType::int32);
  Case d;
  expect(d.run("cast", {{"x", d.in({3}, {-1, 0, 0.5})}, {"dtype", "bool"}}), {3}, {1, 0, 1});
  Case e;
  expect(e.run("cast", {{"x", e.in({1}, {0.1})}, {"dtype", "fp16"}}), {1}, {0.0999755859375}, 0);
}
TEST(Constant, CastC1DtypesOfTheOpset) {
  Case c(Target::ios16);
  expect_refused(c.infer("cast", {{"x", c.typed({1})}, {"dtype", "int8"}}),
                 "\"int8\" cannot be cast to in opset CoreML6");
  Case d(Target::ios17);
  EXPECT_TRUE(d.infer("cast", {{"x", d.typed({1})}, {"dtype", "int8"}}));
  expect_refused(d.infer("cast", {{"x", d.typed({1})}, {"dtype", "float"}}), "cannot be cast to");
}

TEST(Constexpr, AffineDequantize) {
  Case c;
  expect(c.run("constexpr_affine_dequantize", {{"quantized_data", c.fixed(DType::int8, {2, 2}, {1, 2, 3, -4})},
                                               {"zero_point", c.fixed(DType::int8, {2}, {0, 1})},
                                               {"scale", c.fixed({2}, {0.5, 2})},
                                               {"axis", 0}}),
         {2, 2}, {0.5, 1, 4, -10});
  Case d;
  expect(d.run("constexpr_affine_dequantize", {{"quantized_data", d.fixed(DType::uint8, {2}, {0, 255})},
                                               {"zero_point", d.number(128, DType::uint8)},
                                               {"scale", d.number(2, DType::fp16)},
                                               {"axis", 0}}),
         {2}, {-256, 254});
}
TEST(Constexpr, AffineDequantizeC1C2) {
  Case c;
  Value* data = c.fixed(DType::int8, {2, 2}, {1, 2, 3, 4});
  expect_refused(
      c.infer(
          "constexpr_affine_dequantize",
          {{"quantized_data", data}, {"zero_point", c.number(0, DType::int8)}, {"scale", c.number(1)}, {"axis", 2}}),
      "axis 2 is outside");
  expect_refused(c.infer("constexpr_affine_dequantize", {{"quantized_data", data},
                                                         {"zero_point", c.number(0, DType::int8)},
                                                         {"scale", c.fixed({3}, {1, 1, 1})},
                                                         {"axis", 1}}),
                 "scale: [2] is needed");
}

TEST(Constexpr, LutOfPackedBytes) {
  Case c;  // two bits an index, least significant first: 0b11100100 holds 0, 1, 2, 3
  expect(c.run("constexpr_lut_to_dense", {{"indices", c.fixed(DType::uint8, {2}, {0b11100100, 0b10})},
                                          {"lut", c.fixed({4}, {10, 20, 30, 40})},
                                          {"shape", c.fixed(DType::uint32, {1}, {5})}}),
         {5}, {10, 20, 30, 40, 30});
}
TEST(Constexpr, LutC1C2) {
  Case c;
  Value* shape = c.fixed(DType::uint32, {1}, {5});
  expect_refused(
      c.infer("constexpr_lut_to_dense",
              {{"indices", c.fixed(DType::uint8, {2}, {0, 0})}, {"lut", c.fixed({3}, {1, 2, 3})}, {"shape", shape}}),
      "3 entries, not 2, 4, 16");
  expect_refused(
      c.infer("constexpr_lut_to_dense",
              {{"indices", c.fixed(DType::uint8, {1}, {0})}, {"lut", c.fixed({4}, {1, 2, 3, 4})}, {"shape", shape}}),
      "[2] is needed, [1] is given");
}
TEST(Constexpr, LutWithGroupsAndVectors) {
  Case c(Target::ios18);  // one table for each row
  expect(c.run("constexpr_lut_to_dense", {{"indices", c.fixed(DType::uint1, {2, 2}, {0, 1, 1, 0})},
                                          {"lut", c.fixed({2, 1, 2, 1}, {1, 2, 3, 4})}}),
         {2, 2}, {1, 2, 4, 3});
  Case d(Target::ios18);  // vectors of 2 along dimension 0
  expect(d.run("constexpr_lut_to_dense", {{"indices", d.fixed(DType::uint1, {1, 2}, {0, 1})},
                                          {"lut", d.fixed({1, 1, 2, 2}, {1, 2, 3, 4})},
                                          {"vector_axis", 0}}),
         {2, 2}, {1, 3, 2, 4});
}
TEST(Constexpr, LutC1C3C4) {
  Case c(Target::ios18);
  Value* indices = c.fixed(DType::uint1, {1, 3}, {0, 1, 1});
  expect_refused(
      c.infer("constexpr_lut_to_dense", {{"indices", indices}, {"lut", c.fixed({1, 1, 4, 1}, {1, 2, 3, 4})}}),
      "4 entries for indices of 1 bits");
  expect_refused(
      c.infer("constexpr_lut_to_dense", {{"indices", indices}, {"lut", c.fixed({1, 2, 2, 1}, {1, 2, 3, 4})}}),
      "2 groups do not divide 3");
  expect_refused(
      c.infer("constexpr_lut_to_dense", {{"indices", indices}, {"lut", c.fixed({1, 1, 2, 2}, {1, 2, 3, 4})}}),
      "is needed for vectors of 2");
}

TEST(Constexpr, SparseToDense) {
  Case c;
  expect(c.run("constexpr_sparse_to_dense", {{"nonzero_data", c.fixed({2}, {7, 8})},
                                             {"mask", c.fixed(DType::uint8, {1}, {0b1010})},
                                             {"shape", c.fixed(DType::uint32, {2}, {2, 2})}}),
         {2, 2}, {0, 7, 0, 8});
  Case d(Target::ios18);
  expect(d.run("constexpr_sparse_to_dense",
               {{"nonzero_data", d.fixed({2}, {7, 8})}, {"mask", d.fixed(DType::uint1, {2, 2}, {0, 1, 0, 1})}}),
         {2, 2}, {0, 7, 0, 8});
}
TEST(Constexpr, SparseToDenseC1C2) {
  Case c;
  expect_refused(c.infer("constexpr_sparse_to_dense", {{"nonzero_data", c.fixed({1}, {7})},
                                                       {"mask", c.fixed(DType::uint8, {2}, {1, 0})},
                                                       {"shape", c.fixed(DType::uint32, {1}, {4})}}),
                 "[1] is needed, [2] is given");
  for (const double bits : {0.0, 3.0}) {
    Case d;
    expect_refused(d.run("constexpr_sparse_to_dense", {{"nonzero_data", d.fixed({1}, {7})},
                                                       {"mask", d.fixed(DType::uint8, {1}, {bits})},
                                                       {"shape", d.fixed(DType::uint32, {1}, {4})}}),
                   "1 values for");
  }
}

TEST(Constexpr, Cast) {
  Case c;
  const auto result =
      c.run("constexpr_cast", {{"source_val", c.fixed(DType::fp16, {1}, {0.5})}, {"output_dtype", "fp32"}});
  expect(result, {1}, {0.5});
  EXPECT_EQ(result->front().dtype, DType::fp32);
  Case d;
  expect_refused(
      d.infer("constexpr_cast", {{"source_val", d.fixed(DType::fp16, {1}, {0.5})}, {"output_dtype", "fp64"}}),
      "\"fp64\" is not one of");
}

TEST(Constexpr, BlockwiseShiftScale) {
  Case c(Target::ios18);  // blocks of two along dimension 1
  expect(c.run("constexpr_blockwise_shift_scale", {{"data", c.fixed(DType::int4, {1, 4}, {1, 2, 3, -8})},
                                                   {"scale", c.fixed({1, 2}, {10, 100})},
                                                   {"offset", c.fixed(DType::int4, {1, 2}, {1, 0})}}),
         {1, 4}, {0, 10, 300, -800});
}
TEST(Constexpr, BlockwiseC1C2C3) {
  Case c(Target::ios18);
  Value* data = c.fixed(DType::int8, {1, 4}, {1, 2, 3, 4});
  expect_refused(c.infer("constexpr_blockwise_shift_scale", {{"data", data}, {"scale", c.fixed({2}, {1, 1})}}),
                 "rank 2 is needed, 1 is given");
  expect_refused(c.infer("constexpr_blockwise_shift_scale", {{"data", data}, {"scale", c.fixed({1, 3}, {1, 1, 1})}}),
                 "3 blocks do not divide 4");
  expect_refused(
      c.infer("constexpr_blockwise_shift_scale",
              {{"data", data}, {"scale", c.fixed({1, 2}, {1, 1})}, {"offset", c.fixed(DType::int8, {1, 1}, {0})}}),
      "offset: [1,2] is needed");
}

TEST(Constexpr, SparseForms) {
  Case c(Target::ios18);
  auto result = c.run("constexpr_lut_to_sparse", {{"indices_mask", c.fixed(DType::uint1, {2, 2}, {0, 1, 1, 0})},
                                                  {"indices_nonzero_data", c.fixed(DType::uint1, {2}, {1, 0})},
                                                  {"lut", c.fixed({1, 1, 2, 1}, {5, 6})}});
  expect(result, {2, 2}, {0, 1, 1, 0});
  expect_array((*result)[1], {2}, {6, 5});
  Case d(Target::ios18);
  result = d.run("constexpr_sparse_blockwise_shift_scale", {{"data_mask", d.fixed(DType::uint1, {2, 2}, {0, 1, 1, 0})},
                                                            {"nonzero_data", d.fixed(DType::int8, {2}, {3, 4})},
                                                            {"scale", d.fixed({2, 1}, {10, 100})}});
  expect(result, {2, 2}, {0, 1, 1, 0});
  expect_array((*result)[1], {2}, {30, 400});
}

TEST(Constexpr, ResultsCountAsCompileTime) {
  Case c;
  Builder builder(c.function().body);
  Value* weight =
      builder.add("constexpr_affine_dequantize", {{"quantized_data", c.fixed(DType::int8, {1, 1, 2}, {1, 2})},
                                                  {"zero_point", c.number(0, DType::int8)},
                                                  {"scale", c.number(0.5)},
                                                  {"axis", 0}});
  Value* y = builder.add("conv_transpose", {{"x", c.in({1, 1, 1}, {4})}, {"weight", weight}});
  ASSERT_TRUE(builder.finish());
  c.function().body.set_outputs({y});
  const Array x{DType::fp32, {1, 1, 1}, {4}};
  expect(evaluate(c.function(), std::span(&x, 1)), {1, 1, 2}, {2, 4});
}

}  // namespace
}  // namespace anemone::ops
