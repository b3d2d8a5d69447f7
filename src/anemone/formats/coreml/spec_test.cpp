// Core ML model files: known encodings byte for byte both ways, and lossless round trips.
#include "anemone/formats/coreml/spec.h"

#include <gtest/gtest.h>

#include "anemone/formats/coreml/spec_test_models.h"

namespace anemone::formats::milspec {
namespace {

TEST(CoreMlSpecTest, ReadsTheSmallestModel) {
  const auto model = parse(from_hex(kSmallest));
  ASSERT_TRUE(model) << render(model.error());
  EXPECT_EQ(model->specification_version, 8);
  const FeatureDescription& x = model->description.interface.inputs.at(0);
  EXPECT_EQ(x.name, "x");
  const auto& array = std::get<ArrayType>(x.type.type);
  EXPECT_EQ(array.shape, (std::vector<std::int64_t>{1, 2}));
  EXPECT_EQ(array.dtype, ArrayDataType::float16);
  EXPECT_EQ(*find(model->description.metadata->user_defined, "k"), "v");
  const Function* main = find(model->program.functions, "main");
  ASSERT_NE(main, nullptr);
  EXPECT_EQ(main->opset, "CoreML7");
  EXPECT_EQ(main->inputs.at(0).type.tensor.dtype, DataType::float16);
  const Block& block = *find(main->block_specializations, "CoreML7");
  EXPECT_EQ(block.outputs, std::vector<std::string>{"y"});
  const Operation& relu = block.operations.at(0);
  EXPECT_EQ(relu.type, "relu");
  EXPECT_EQ(find(relu.inputs, "x")->at(0).name, "x");
  EXPECT_EQ(find(relu.attributes, "name")->strings, std::vector<std::string>{"y"});
}

TEST(CoreMlSpecTest, WritesTheSmallestModelByteForByte) {
  const auto bytes = write_model(smallest_model());
  ASSERT_TRUE(bytes) << render(bytes.error());
  EXPECT_EQ(to_hex(*bytes), kSmallest);
}

struct Vector {
  const char* name;
  Value value;
  const char* hex;
};

std::vector<Vector> vectors() {
  Value blob = literal(DataType::float16, {8, 3, 3, 3}, {});
  blob.kind = Value::Kind::blob;
  blob.blob = {"@model_path/weights/weight.bin", 64};
  const auto u8 = [](int n) { return static_cast<std::uint8_t>(n); };
  return {
      {"text", text_literal("fp16"), "12040a0208021a0a0a0822060a0466703136"},
      {"int32 -1", literal(DataType::int32, {}, elements<std::int32_t>({-1})),
       "12040a0208171a100a0e120c0a0affffffffffffffffff01"},
      {"int32 vector", literal(DataType::int32, {4}, elements<std::int32_t>({1, 1, 1, 1})),
       "120c0a0a081710011a040a0208041a0a0a0812060a0401010101"},
      {"false", literal(DataType::boolean, {}, elements<std::uint8_t>({0})), "12040a0208011a070a051a030a0100"},
      {"booleans", literal(DataType::boolean, {2}, elements<std::uint8_t>({1, 0})),
       "120c0a0a080110011a040a0208021a080a061a040a020100"},
      {"float", literal(DataType::float32, {}, elements<float>({2.0f})), "12040a02080b1a0a0a080a060a0400000040"},
      {"half", literal(DataType::float16, {}, elements<std::uint16_t>({0x3800})), "12040a02080a1a080a063a040a020038"},
      {"halves", literal(DataType::float16, {2}, elements<std::uint16_t>({0x3c00, 0xb800})),
       "120c0a0a080a10011a040a0208021a0a0a083a060a04003c00b8"},
      {"uint8", literal(DataType::uint8, {3}, elements<std::uint8_t>({u8(1), u8(2), u8(255)})),
       "120c0a0a081f10011a040a0208031a090a073a050a030102ff"},
      {"uint16", literal(DataType::uint16, {2}, elements<std::uint16_t>({7, 65535})),
       "120c0a0a082010011a040a0208021a0a0a0812060a0407ffff03"},
      {"uint32", literal(DataType::uint32, {}, elements<std::uint32_t>({2})), "12040a0208211a0a0a083a060a0402000000"},
      {"int64", literal(DataType::int64, {}, elements<std::int64_t>({5})), "12040a0208181a070a052a030a0105"},
      {"empty", literal(DataType::int32, {0}, {}), "120a0a08081710011a020a001a040a021200"},
      {"blob", blob,
       "121e0a1c080a10041a040a0208081a040a0208031a040a0208031a040a0208032a220a1e406d6f64656c5f706174682f776569676874732"
       "f77"
       "65696768742e62696e1040"},
  };
}

TEST(CoreMlSpecTest, KnownValuesBothWays) {
  for (const Vector& vector : vectors()) {
    const std::string file = wrap_value(from_hex(vector.hex));
    const auto read = parse(file);
    ASSERT_TRUE(read) << vector.name << "\n" << render(read.error());
    EXPECT_EQ(value_in(*read), vector.value) << vector.name;
    const auto written = write_model(model_with(vector.value));
    ASSERT_TRUE(written) << vector.name << "\n" << render(written.error());
    EXPECT_EQ(to_hex(*written), to_hex(file)) << vector.name;
  }
}

TEST(CoreMlSpecTest, KnownTypeAndArgument) {
  // NamedValueType x: FLOAT32 [1, ?] as a function input, and the bindings p, q of a list parameter.
  Model model = smallest_model();
  Function& main = model.program.functions.at(0).value;
  main.inputs.at(0).type.tensor.dtype = DataType::float32;
  main.inputs.at(0).type.tensor.dims.at(1) = {std::nullopt, false};
  main.block_specializations.at(0).value.operations.at(0).inputs.at(0).value = {{"p", {}}, {"q", {}}};
  const auto bytes = write_model(model);
  ASSERT_TRUE(bytes);
  EXPECT_NE(to_hex(*bytes).find("0a017812100a0e080b10021a040a0208011a021200"), std::string::npos);
  EXPECT_NE(to_hex(*bytes).find("0a030a01700a030a0171"), std::string::npos);
  const auto again = parse(*bytes);
  ASSERT_TRUE(again);
  EXPECT_EQ(*again, model);
}

TEST(CoreMlSpecTest, LiteralsAreViewsOfTheFile) {
  const Bytes file = bytes_of(wrap_value(from_hex("120c0a0a080a10011a040a0208021a0a0a083a060a04003c00b8")));
  const auto model = read_model(file, "test");
  ASSERT_TRUE(model);
  const Bytes& data = value_in(*model).data;
  EXPECT_GE(data.data(), file.data());
  EXPECT_LT(data.data(), file.data() + file.size());
  EXPECT_EQ(data.owner, file.owner);
}

TEST(CoreMlSpecTest, TakesUnpackedAndSplitNumbers) {
  // INT32 [3]: one packed piece, one single number. FLOAT32 [2]: two pieces.
  const auto ints = parse(wrap_value(from_hex("120c0a0a081710011a040a0208031a0a0a0812060a0201020803")));
  ASSERT_TRUE(ints) << render(ints.error());
  EXPECT_EQ(value_in(*ints), literal(DataType::int32, {3}, elements<std::int32_t>({1, 2, 3})));
  const auto floats = parse(wrap_value(from_hex("120c0a0a080b10011a040a0208021a0f0a0d0a0b0a040000803f0d00000040")));
  ASSERT_TRUE(floats) << render(floats.error());
  EXPECT_EQ(value_in(*floats), literal(DataType::float32, {2}, elements<float>({1.0f, 2.0f})));
}

TEST(CoreMlSpecTest, NothingIsLost) {
  const Model model = everything();
  const auto bytes = write_model(model);
  ASSERT_TRUE(bytes) << render(bytes.error());
  const auto again = parse(*bytes);
  ASSERT_TRUE(again) << render(again.error());
  EXPECT_EQ(*again, model);
  EXPECT_EQ(*write_model(*again), *bytes);
}

TEST(CoreMlSpecTest, KeysAreSortedAndTheLastOfEqualOnesCounts) {
  Model model = smallest_model();
  auto& user_defined = model.description.metadata->user_defined;
  user_defined = {{"z", "1"}, {"a", "2"}, {"z", "3"}};
  const auto again = parse(*write_model(model));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->description.metadata->user_defined, (Map<std::string>{{"a", "2"}, {"z", "3"}}));
  // The same when another writer left them in another order.
  const auto foreign =
      parse(from_hex("0808"
                     "121e"
                     "a2061b"
                     "a206060a017a120131"
                     "a206060a0161120132"
                     "a206060a017a120133"
                     "b21f020801"));
  ASSERT_TRUE(foreign) << render(foreign.error());
  EXPECT_EQ(foreign->description.metadata->user_defined, (Map<std::string>{{"a", "2"}, {"z", "3"}}));
}

TEST(CoreMlSpecTest, UnknownFieldsAreSkipped) {
  std::string bytes = from_hex(kSmallest);
  bytes += from_hex(
      "f8ff01"
      "05"
      "fa3e03616263"
      "fd3e00000000");              // varint, bytes and fixed32 of unknown numbers
  bytes += from_hex("0d00000000");  // the version with another wire type
  const auto model = parse(bytes);
  ASSERT_TRUE(model) << render(model.error());
  EXPECT_EQ(*model, smallest_model());
}

TEST(CoreMlSpecTest, NamesOtherKindsOfModels) {
  const auto tree =
      parse(from_hex("0801"
                     "1200"
                     "f21200"));  // 302
  ASSERT_FALSE(tree);
  EXPECT_EQ(tree.error().at(0).code, "E0302");
  EXPECT_NE(tree.error().at(0).message.find("treeEnsembleRegressor"), std::string::npos);
  const auto network =
      parse(from_hex("0804"
                     "a21f00"));  // 500
  ASSERT_FALSE(network);
  EXPECT_NE(network.error().at(0).message.find("neuralNetwork,"), std::string::npos);
  EXPECT_EQ(parse("").error().at(0).code, "E0303");
  EXPECT_EQ(parse(from_hex("0808")).error().at(0).code, "E0303");
}

TEST(CoreMlSpecTest, SizesOfElements) {
  EXPECT_EQ(packed_size(DataType::int4, 5), 3u);
  EXPECT_EQ(packed_size(DataType::uint3, 9), 4u);
  EXPECT_EQ(packed_size(DataType::boolean, 9), 9u);
  EXPECT_EQ(packed_size(DataType::float64, UINT64_MAX / 8), UINT64_MAX - 7);
  EXPECT_EQ(packed_size(DataType::float64, UINT64_MAX / 8 + 1), std::nullopt);
  EXPECT_EQ(packed_size(DataType::uint6, UINT64_MAX), std::nullopt);
  EXPECT_EQ(name_of(DataType::float8_e4m3fn), "FLOAT8E4M3FN");
  EXPECT_EQ(name_of(static_cast<DataType>(99)), "?");
}

}  // namespace
}  // namespace anemone::formats::milspec
