// Literals and payloads: every dtype and every bit survives the text.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <map>
#include <set>

#include "anemone/ir/derive_interface.h"
#include "anemone/ir/text/lexer.h"
#include "anemone/ir/text/literal_text.h"
#include "anemone/ir/text/text_test_util.h"

namespace anemone {
namespace {

using test::expect_fixpoint;
using test::ops;
using test::read;
using test::round_trip;

TEST(Literals, RandomIsTheDocumentedFormula) {
  const auto program = read("func main<ios17>() { w = tensor<fp32, [3]>(random(seed = 7)); } -> (w);");
  ASSERT_TRUE(program);
  const auto splitmix = [](std::uint64_t x) {
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
  };
  EXPECT_EQ(splitmix(0), 0xe220a8397b1dcdafu) << "the published first output for seed 0";
  const auto values = to_doubles(*program->main().body.outputs()[0]->constant);
  for (std::uint64_t i = 0; i < 3; ++i) {
    const auto u = static_cast<double>(splitmix(7 + i * 0x9e3779b97f4a7c15u) >> 11);
    EXPECT_EQ(values[i], static_cast<float>(u / 4503599627370496.0 - 1));
  }
}

TEST(Literals, Generators) {
  const auto program = read(R"(func main<ios17>() {
    a = tensor<int8, [2, 2]>(iota());
    b = tensor<bool, [3]>(splat(true));
    c = tensor<int64, [2]>(splat(-9223372036854775807));
    d = tensor<uint4, [5]>(random(seed = 1));
    e = tensor<int8, [4000]>(random());
  } -> (a, b, c, d, e);)");
  ASSERT_TRUE(program);
  const auto& outputs = program->main().body.outputs();
  EXPECT_EQ(to_ints(*outputs[0]->constant), (Dims{0, 1, 2, 3}));
  EXPECT_EQ(to_ints(*outputs[1]->constant), (Dims{1, 1, 1}));
  EXPECT_EQ(elements_as<std::int64_t>(*outputs[2]->constant)[1], -9223372036854775807);
  const Dims bytes = to_ints(*outputs[4]->constant);
  EXPECT_EQ(std::set<std::int64_t>(bytes.begin(), bytes.end()).size(), 256u) << "the whole range of the type";
  round_trip(*program);
}

TEST(Literals, EveryElementTypeRoundTrips) {
  for (int i = 0; i < kDTypeCount; ++i) {
    const auto dtype = static_cast<DType>(i);
    if (dtype == DType::string) continue;
    const auto program = read(
        fmt::format("func main<ios18>() {{ w = tensor<{0}, [3, 5]>({1}); s = {0}({2}); }} -> (w, s);", name(dtype),
                    dtype == DType::boolean ? "random()" : "random(seed = 3)", dtype == DType::boolean ? "true" : "1"));
    ASSERT_TRUE(program) << name(dtype);
    round_trip(*program);
    expect_fixpoint(*program);
  }
}

// All bit patterns of the 16-bit floats, NaNs among them, and of the 8-bit ones, through hexadecimal and decimal.
TEST(Literals, FloatsKeepTheirBits) {
  for (DType dtype : {DType::fp16, DType::bf16, DType::fp8e4m3fn, DType::fp8e5m2}) {
    const bool small = bits(dtype) == 8;
    std::vector<std::uint16_t> wide(small ? 0 : 65536);
    std::vector<std::uint8_t> narrow(small ? 256 : 0);
    for (std::size_t i = 0; i < wide.size(); ++i) wide[i] = static_cast<std::uint16_t>(i);
    for (std::size_t i = 0; i < narrow.size(); ++i) narrow[i] = static_cast<std::uint8_t>(i);
    const Constant all{.type = Type::tensor(dtype, {small ? 256 : 65536}),
                       .data = small ? Bytes::copy_of(std::span<const std::uint8_t>(narrow))
                                     : Bytes::copy_of(std::span<const std::uint16_t>(wide))};
    for (bool hex : {true, false}) {
      std::string literal;
      append_constant(literal, all, {.hex = hex});
      const auto program = read("func main<ios18>() { w = " + literal + "; } -> (w);");
      ASSERT_TRUE(program);
      EXPECT_TRUE(same_content(*program->main().body.outputs()[0]->constant, all)) << name(dtype) << " hex " << hex;
    }
  }
}

TEST(Literals, Fp32AndFp64KeepTheirBits) {
  std::vector<float> floats{0.0f, -0.0f, 1e-45f, 0.1f, 3.4028235e38f, INFINITY, -INFINITY, NAN};
  std::vector<double> doubles{0.0, -0.0, 5e-324, 0.1, 1.7976931348623157e308, INFINITY, 2.2250738585072014e-308, NAN};
  std::uint32_t bits = 1;
  for (int i = 0; i < 5000; ++i) {
    bits = bits * 1664525u + 1013904223u;
    floats.push_back(std::bit_cast<float>(bits));
    doubles.push_back(std::bit_cast<double>(std::uint64_t{bits} << 32 | (bits * 2654435761u)));
  }
  const auto count = static_cast<std::int64_t>(floats.size());
  const Constant a{.type = Type::tensor(DType::fp32, {count}), .data = Bytes::copy_of(std::span<const float>(floats))};
  const Constant b{.type = Type::tensor(DType::fp64, {count}),
                   .data = Bytes::copy_of(std::span<const double>(doubles))};
  for (const Constant* c : {&a, &b}) {
    for (bool hex : {true, false}) {
      std::string literal;
      append_constant(literal, *c, {.hex = hex});
      const auto program = read("func main<ios18>() { w = " + literal + "; } -> (w);");
      ASSERT_TRUE(program);
      EXPECT_TRUE(same_content(*program->main().body.outputs()[0]->constant, *c)) << "hex " << hex;
    }
  }
}

TEST(Literals, HexFloatsLookLikeThoseOfTheCLibrary) {
  for (double value : {1.0, 0.5, 0.1, -3.75, 1e-5, 1e300, 65504.0, 5.9604644775390625e-08, 0.0, -0.0}) {
    char expected[64];
    std::snprintf(expected, sizeof expected, "%a", value);
    std::string text;
    append_hex(text, value);
    EXPECT_EQ(text, expected);
    EXPECT_EQ(std::bit_cast<std::uint64_t>(*to_double(text)), std::bit_cast<std::uint64_t>(value));
  }
}

TEST(Literals, StringsKeepTheirBytes) {
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  auto program = std::make_unique<Program>(ops());
  Function& main = program->add_function("main", Target::ios17);
  main.body.set_outputs({main.body.add_constant("s", make_text(all))});
  program->metadata.user["a \"key\"\n"] = all;
  program->metadata.author = "\\";
  main.interface = derive_interface(main);
  round_trip(*program);
}

TEST(Literals, BigPayloadsAreSummarised) {
  const auto program = read(R"(func main<ios17>(tensor<fp32, [1, 3, 8, 8]> x) {
    w = tensor<fp32, [4, 3, 3, 3]>(iota());
    y = conv(x = x, weight = w);
    z = conv(x = x, weight = tensor<fp32, [4, 3, 3, 3]>(splat(2)));
  } -> (y, z);)");
  ASSERT_TRUE(program);
  const std::string text = to_text(*program);
  EXPECT_NE(text.find("    w = tensor<fp32, [4, 3, 3, 3]>(/* 108 values, 0 .. 107 */);\n"), std::string::npos) << text;
  EXPECT_NE(text.find("weight = tensor<fp32, [4, 3, 3, 3]>(/* 108 values, all 2 */)"), std::string::npos) << text;
  const auto again = read(text);
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->main().body.constants.front()->constant->missing.empty());
  EXPECT_FALSE(same_program(*program, *again));
}

TEST(Literals, WeightsGoThroughTheSinkAndBack) {
  const auto program = read(R"(func main<ios16>(tensor<fp16, [1, 3, 8, 8]> x) {
    w = tensor<fp16, [4, 3, 1, 1]>(random(seed = 7));
    c = constexpr_lut_to_dense(indices = tensor<uint8, [12]>(random()), lut = tensor<fp16, [2]>([0.5, 1]), shape = [4, 3, 1, 1]);
    y = conv(x = x, weight = w);
    z = conv(x = x, weight = c);
  } -> (y, z);)");
  ASSERT_TRUE(program);
  EXPECT_EQ(program->main().body.nodes.front().input("shape")->type, Type::tensor(DType::uint32, {4}));
  std::map<std::uint64_t, ConstantPtr> file;
  PrintOptions options{.exact = true};
  options.sink = [&](const ConstantPtr& constant) {
    const std::uint64_t offset = 64 * (file.size() + 1);
    file[offset] = constant;
    return BlobPlace{"@model_path/weights/weight.bin", offset};
  };
  const std::string text = to_text(*program, options);
  EXPECT_EQ(file.size(), 2u);
  EXPECT_NE(text.find("= constexpr_lut_to_dense()[indices = tensor<uint8, [12]>(BLOBFILE(path = tensor<string, []>("
                      "\"@model_path/weights/weight.bin\"), offset = tensor<uint64, []>("),
            std::string::npos)
      << text;
  ParseOptions reading;
  reading.blob = [&](const std::string& path, std::uint64_t offset, const Type&) -> Result<Constant> {
    EXPECT_EQ(path, "@model_path/weights/weight.bin");
    if (!file.contains(offset)) return bad_input(ErrorCode::weight_outside, "no such place");
    return *file[offset];
  };
  const auto again = read(text, reading);
  ASSERT_TRUE(again);
  std::string difference;
  EXPECT_TRUE(same_program(*program, *again, &difference)) << difference;
  file.erase(64);
  const auto lost = parse(text, ops(), reading);
  ASSERT_FALSE(lost);
  EXPECT_NE(render(lost.error()).find("error[E0307]: no such place\n  --> text.mil:"), std::string::npos);
  const auto without = read(text);  // no reader: payloads are marked as missing, and the place survives
  ASSERT_TRUE(without);
  EXPECT_EQ(without->main().body.constants.front()->constant->missing, "@model_path/weights/weight.bin:64");
  EXPECT_EQ(round_trip(*without), text);
}

}  // namespace
}  // namespace anemone
