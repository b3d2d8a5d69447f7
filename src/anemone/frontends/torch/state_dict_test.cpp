// Tensors of a checkpoint as constants: shared where possible, converted where needed.
#include "anemone/frontends/torch/state_dict.h"

#include <gtest/gtest.h>

#include <cstring>

namespace anemone::torch {
namespace {

using formats::ScalarType;
using formats::StateDict;

template <class T>
Bytes bytes_of(std::vector<T> values) {
  return Bytes::copy_of(std::span<const T>(values));
}

std::vector<float> read(const StateDict& state, std::string_view key) {
  auto constant = float32_constant(state, key);
  EXPECT_TRUE(constant) << (constant ? "" : render(constant.error()));
  if (!constant) return {};
  EXPECT_EQ((*constant)->type.dtype, DType::fp32);
  return to_floats(**constant);
}

TEST(StateDictConstants, PackedFloatsAreShared) {
  StateDict state;
  ASSERT_TRUE(append(state, "w", ScalarType::float32, {2, 2}, bytes_of<float>({1, 2, 3, 4})));
  const auto constant = float32_constant(state, "w");
  ASSERT_TRUE(constant);
  EXPECT_EQ((*constant)->data.data(), state.find("w")->storage.data());
  EXPECT_EQ((*constant)->type, Type::tensor(DType::fp32, {2, 2}));
}

TEST(StateDictConstants, ViewsAreGathered) {
  StateDict state;
  ASSERT_TRUE(append(state, "w", ScalarType::float32, {2, 3}, bytes_of<float>({1, 2, 3, 4, 5, 6})));
  state.tensors[0].shape = {3, 2};
  state.tensors[0].stride = {1, 3};  // transposed
  EXPECT_EQ(read(state, "w"), (std::vector<float>{1, 4, 2, 5, 3, 6}));
  state.tensors[0].shape = {2};
  state.tensors[0].stride = {1};
  state.tensors[0].offset = 4;
  EXPECT_EQ(read(state, "w"), (std::vector<float>{5, 6}));
  EXPECT_EQ((*float32_constant(state, "w"))->data.data(), state.tensors[0].storage.data() + 16);
}

TEST(StateDictConstants, UnalignedStoragesAreCopied) {
  StateDict state;
  const Bytes padded = bytes_of<std::uint8_t>({0, 0, 0, 128, 63, 0, 0, 0, 64});
  ASSERT_TRUE(append(state, "w", ScalarType::float32, {2}, padded.part(1, 8)));
  EXPECT_EQ(read(state, "w"), (std::vector<float>{1, 2}));
}

TEST(StateDictConstants, OtherFloatsAreConverted) {
  StateDict state;
  ASSERT_TRUE(append(state, "half", ScalarType::float16, {2}, bytes_of<std::uint16_t>({0x3c00, 0xc100})));
  ASSERT_TRUE(append(state, "brain", ScalarType::bfloat16, {2}, bytes_of<std::uint16_t>({0x3f80, 0xc020})));
  ASSERT_TRUE(append(state, "double", ScalarType::float64, {2}, bytes_of<double>({0.1, -2.5})));
  EXPECT_EQ(read(state, "half"), (std::vector<float>{1, -2.5f}));
  EXPECT_EQ(read(state, "brain"), (std::vector<float>{1, -2.5f}));
  EXPECT_EQ(read(state, "double"), (std::vector<float>{0.1f, -2.5f}));
}

TEST(StateDictConstants, EmptyTensorsStayEmpty) {
  StateDict state;
  ASSERT_TRUE(append(state, "none", ScalarType::float32, {0, 3}, Bytes{}));
  EXPECT_TRUE(read(state, "none").empty());
}

TEST(StateDictConstants, ErrorsNameTheKey) {
  StateDict state;
  state.file = "net.pth";
  state.part = "net";
  ASSERT_TRUE(append(state, "count", ScalarType::int64, {}, bytes_of<std::int64_t>({7})));
  auto constant = float32_constant(state, "count");
  ASSERT_FALSE(constant);
  EXPECT_EQ(constant.error()[0].code, "E0602");
  EXPECT_EQ(constant.error()[0].message, "tensor 'count' holds int64, expected floating-point numbers");
  EXPECT_EQ(constant.error()[0].place, "net.pth: 'net'");
  constant = float32_constant(state, "weight");
  ASSERT_FALSE(constant);
  EXPECT_EQ(constant.error()[0].code, "E0601");
  const auto twice = append(state, "count", ScalarType::int64, {}, bytes_of<std::int64_t>({7}));
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error()[0].code, "E0603");
  const auto short_data = append(state, "x", ScalarType::float32, {3}, bytes_of<float>({1, 2}));
  ASSERT_FALSE(short_data);
  EXPECT_EQ(short_data.error()[0].code, "E0604");
}

}  // namespace
}  // namespace anemone::torch
