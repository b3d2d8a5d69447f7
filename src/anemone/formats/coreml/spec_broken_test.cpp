// Core ML model files that must be refused, and structs that must not be written.
#include <gtest/gtest.h>

#include "anemone/formats/coreml/spec.h"
#include "anemone/formats/coreml/spec_test_models.h"

namespace anemone::formats::milspec {
namespace {

void expect_broken(const std::string& value_hex, std::string_view message) {
  const auto model = parse(wrap_value(from_hex(value_hex)));
  ASSERT_FALSE(model) << value_hex;
  EXPECT_EQ(model.error().at(0).code, "E0304") << render(model.error());
  EXPECT_NE(model.error().at(0).message.find(message), std::string::npos) << render(model.error());
  EXPECT_NE(model.error().at(0).place.find("test: byte "), std::string::npos);
}

TEST(CoreMlSpecBrokenTest, RefusesInconsistentValues) {
  expect_broken("120c0a0a081710011a040a0208041a080a0612040a020101", "4 INT32 elements holds 8 bytes");
  expect_broken("120c0a0a080a10011a040a0208021a090a073a050a03003c00", "2 FLOAT16 elements holds 3 bytes");
  expect_broken("12040a02080a1a0a0a080a060a0400000040", "type FLOAT16 is stored in 'floats'");
  expect_broken("12040a02082a1a080a063a040a020038", "unknown element type number 42");
  expect_broken("12060a04080a10011a080a063a040a020038", "rank 1 but has 0");
  expect_broken("12080a06080a10011a001a080a063a040a020038", "neither constant nor unknown");
  expect_broken("120a0a08080a10011a0212001a080a063a040a020038", "unknown or too large");
  expect_broken("1a080a063a040a020038", "no type");
  expect_broken("12040a02080a", "no content");
  expect_broken("12040a02080a1a00", "no content");
  expect_broken("12040a0208201a090a0712050a03a08d06", "100000 does not fit UINT16");
  expect_broken("12040a0208161a0a0a0812060a04ffffff01", "does not fit INT16");
  expect_broken("12040a02080b1a070a050a030a0100", "end inside one");
  // A shape whose product overflows: two extents of 2^63.
  expect_broken("12240a22080a10021a0d0a0b08808080808080808080011a0d0a0b08808080808080808080011a080a063a040a020038",
                "unknown or too large");
}

TEST(CoreMlSpecBrokenTest, EveryTruncationIsAnErrorOrAModel) {
  const std::string bytes = *write_model(everything());
  int refused = 0;
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    const auto model = parse(bytes.substr(0, length));
    if (!model) {
      ++refused;
      EXPECT_FALSE(model.error().at(0).message.empty());
    }
  }
  EXPECT_EQ(refused, static_cast<int>(bytes.size()));  // the program is the last field
}

TEST(CoreMlSpecBrokenTest, DeepNestingIsRefusedBothWays) {
  // A tuple type in a tuple type, 200 deep.
  std::string type = from_hex("0a02080a");
  for (int i = 0; i < 200; ++i) {
    std::string out, outer;
    protozero::pbf_writer(out).add_message(1, type);
    protozero::pbf_writer(outer).add_message(3, out);
    type = outer;
  }
  std::string value;
  protozero::pbf_writer(value).add_message(2, type);
  const auto model = parse(wrap_value(value));
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().at(0).code, "E0301");

  ValueType deep = tensor_type(DataType::float16, {});
  for (int i = 0; i < 200; ++i) {
    ValueType outer;
    outer.kind = ValueType::Kind::tuple;
    outer.parts.push_back(std::move(deep));
    deep = std::move(outer);
  }
  Value nested = literal(DataType::float16, {}, {});
  nested.type = std::move(deep);
  const auto written = write_model(model_with(std::move(nested)));
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().at(0).blame, Blame::bug);
}

TEST(CoreMlSpecBrokenTest, WritingInconsistentLiteralsIsABug) {
  const auto code = [](Value value) {
    const auto written = write_model(model_with(std::move(value)));
    return written ? "written" : text_of(written.error().at(0).code);
  };
  EXPECT_EQ(code(literal(DataType::float16, {2}, elements<std::uint16_t>({1}))), "E0070");
  EXPECT_EQ(code(literal(DataType::string, {1}, {})), "E0070");
  EXPECT_EQ(code(literal(DataType::boolean, {1}, elements<std::uint8_t>({2}))), "E0070");
  EXPECT_EQ(code(literal(DataType::unused, {}, {})), "E0070");
  EXPECT_EQ(code(literal(DataType::uint3, {9}, elements<std::uint8_t>({1, 2, 3, 4}))), "written");
}

TEST(CoreMlSpecBrokenTest, TextMustBeUtf8) {
  std::string bytes = from_hex(kSmallest);
  bytes[bytes.size() - 1] = static_cast<char>(0xff);
  const auto model = parse(bytes);
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().at(0).code, "E0303");
}

}  // namespace
}  // namespace anemone::formats::milspec
