// Print and parse: what is written reads back equal, in the exact form bit by bit.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <bit>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "anemone/ir/builder.h"
#include "anemone/ir/compare.h"
#include "anemone/ir/lexer.h"
#include "anemone/ir/literal_text.h"
#include "anemone/ir/parse.h"
#include "anemone/ir/print.h"
#include "anemone/ir/test_ops.h"
#include "anemone/ir/verify.h"

namespace anemone {
namespace {

using test::ops;

std::unique_ptr<Program> read(const std::string& text, const ParseOptions& options = {}) {
  auto program = parse(text, ops(), options);
  if (!program) ADD_FAILURE() << render(program.error());
  return program ? *std::move(program) : nullptr;
}

// Parses, prints exactly, parses again: equal program, equal text. Returns the exact text.
std::string round_trip(const Program& program, const ParseOptions& options = {}) {
  const std::string text = to_text(program, {.exact = true});
  const auto again = read(text, options);
  if (!again) return text;
  std::string difference;
  EXPECT_TRUE(same_program(program, *again, &difference)) << difference << "\n" << text;
  EXPECT_EQ(to_text(*again, {.exact = true}), text);
  VerifyOptions checks;
  if (options.trust_types) checks.types = VerifyOptions::Types::off;
  const auto valid = verify(*again, checks);
  EXPECT_TRUE(valid) << (valid ? "" : render(valid.error()));
  return text;
}

// The text for people reads back, and prints the same again.
void expect_fixpoint(const Program& program) {
  const PrintOptions everything{.inline_limit = 100000};
  const std::string text = to_text(program, everything);
  const auto again = read(text);
  ASSERT_TRUE(again) << text;
  EXPECT_EQ(to_text(*again, everything), text);
}

constexpr const char* kSmall = R"(
func main<ios17>(tensor<fp16, [1, 3, 8, 8]> x) {  // a comment
  w = tensor<fp16, [4, 3, 1, 1]>(random(seed = 7));
  y = conv(x = x, weight = w, strides = [1, 1], pad_type = "custom", epsilon = fp16(0x1.5p-17));
  a, b = split(x = y, num_splits = 2, axis = 1);
  z = concat(values = (a, b, y), axis = 1, interleave = false);
  half = add(x = z, y = 0.5);
} -> (half);
)";

TEST(Text, ReadsShortForm) {
  const auto program = read(kSmall);
  ASSERT_TRUE(program);
  const Function& main = program->main();
  EXPECT_EQ(main.opset, Target::ios17);
  EXPECT_EQ(program->specification, 8);
  ASSERT_EQ(main.body.nodes.size(), 4u);
  EXPECT_EQ(brief(main.body.outputs().at(0)->type), "fp16[1,8,8,8]");
  const Node& conv = main.body.nodes.front();
  EXPECT_EQ(conv.input("strides")->type, Type::tensor(DType::int32, {2}));
  EXPECT_TRUE(conv.input("strides")->is_inline);
  EXPECT_FALSE(conv.input("weight")->is_inline);
  EXPECT_EQ(conv.origin, "text.mil:4");
  const Node& add = main.body.nodes.back();
  EXPECT_EQ(add.constant("y")->type, Type::tensor(DType::fp16, {})) << "a bare number takes the dtype of its group";
  EXPECT_EQ(scalar(*add.constant("y")), 0.5);
  const std::string text = round_trip(*program);
  EXPECT_NE(text.find("program(1.0)"), std::string::npos);
  expect_fixpoint(*program);
}

TEST(Text, PrintsForPeople) {
  const auto program = read(kSmall);
  ASSERT_TRUE(program);
  EXPECT_EQ(to_text(*program), R"(program(1.3)
{
  func main<ios17>(tensor<fp16, [1, 3, 8, 8]> x) {
    w = tensor<fp16, [4, 3, 1, 1]>(/* 12 values, -0.9663 .. 0.9199 */);
    tensor<fp16, [1, 4, 8, 8]> y = conv(x = x, weight = w, strides = [1, 1], pad_type = "custom", epsilon = fp16(1e-05));
    tensor<fp16, [1, 2, 8, 8]> a, tensor<fp16, [1, 2, 8, 8]> b = split(x = y, num_splits = 2, axis = 1);
    tensor<fp16, [1, 8, 8, 8]> z = concat(values = (a, b, y), axis = 1, interleave = false);
    tensor<fp16, [1, 8, 8, 8]> half = add(x = z, y = fp16(0.5));
  } -> (half);
}
)");
}

TEST(Text, RandomIsTheDocumentedFormula) {
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

TEST(Text, Generators) {
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

TEST(Text, EveryElementTypeRoundTrips) {
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
TEST(Text, FloatsKeepTheirBits) {
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

TEST(Text, Fp32AndFp64KeepTheirBits) {
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

TEST(Text, HexFloatsLookLikeThoseOfTheCLibrary) {
  for (double value : {1.0, 0.5, 0.1, -3.75, 1e-5, 1e300, 65504.0, 5.9604644775390625e-08, 0.0, -0.0}) {
    char expected[64];
    std::snprintf(expected, sizeof expected, "%a", value);
    std::string text;
    append_hex(text, value);
    EXPECT_EQ(text, expected);
    EXPECT_EQ(std::bit_cast<std::uint64_t>(*to_double(text)), std::bit_cast<std::uint64_t>(value));
  }
}

TEST(Text, StringsKeepTheirBytes) {
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

TEST(Text, NamesThatAreNoIdentifiers) {
  auto program = std::make_unique<Program>(ops());
  Function& main = program->add_function("main", Target::ios17);
  Value* x = main.body.add_input("input.1", Type::tensor(DType::fp32, {2}));
  Node& relu = main.body.insert(main.body.nodes.end(), "relu", ops().find("relu"));
  relu.set("x", x);
  Node& again = main.body.insert(main.body.nodes.end(), "relu", ops().find("relu"));
  again.set("x", relu.add_output("true", x->type));
  main.body.set_outputs({again.add_output("état 2", x->type)});
  main.interface = derive_interface(main);
  EXPECT_NE(round_trip(*program).find("`input.1`"), std::string::npos);
}

constexpr const char* kNested = R"(program(1.3)
{
  func main<ios18>(tensor<fp32, [4]> x, state<tensor<fp16, [1, 8]>> s, tensor<fp16, [1, 8]> d) {
    write_state(input = s, data = d);
    tensor<fp16, [1, 8]> r = read_state(input = s);
    bool p = less(x = 1, y = 2);
    tensor<fp32, [4]> y = cond(pred = p) {
      tensor<fp32, [4]> t = relu(x = x);
    } -> (t), {
    } -> (x)[hint = string("kept")];
    int32 n, tensor<fp32, [4]> z = while_loop(loop_vars = (0, y)) (int32 i, tensor<fp32, [4]> v) {
      bool c = less(x = i, y = 10);
    } -> (c), (int32 j, tensor<fp32, [4]> w) {
      int32 k = add(x = j, y = 1);
      tensor<fp32, [4]> u = add(x = w, y = w);
    } -> (k, u);
  } -> (z, n, r)[key = dict<string, int32>({{"a", 1}, {"b", 2}})];
}
)";

TEST(Text, NestedBlocksStatesAndOpsWithoutOutputs) {
  const auto program = read(kNested);
  ASSERT_TRUE(program);
  EXPECT_EQ(to_text(*program), kNested) << "this text is written as the printer writes it";
  round_trip(*program);
  EXPECT_EQ(program->main().interface.states.size(), 1u);
  const auto copy = clone(*program);
  EXPECT_TRUE(same_program(*program, *copy));
}

TEST(Text, SeveralFunctionsAndContainers) {
  const auto program = read(R"(program(1.3)
//! specification 10
//! default "second"
//! description "two functions"
//! user "com.example.key" "value"
[buildInfo = dict<string, string>({{"coremltools-version", "8.0"}}), other = list<int32, ?>([1, 2])]
{
  func first<ios18>(tensor<fp32, [2]> x) [tag = tuple<string, tensor<int32, [?]>>(("a", [1, 2, 3]))] {
    y = relu(x = x);
  } -> (y);
  //! input x: array fp32 [2] optional default fp32 0.25 "the input"
  //! output y: array fp32 []
  //! predicted_feature "y"
  func second<ios17>(tensor<fp32, [2]> x) {
    y = sigmoid(x = x)[name = "another name"];
  } -> (y);
}
)");
  ASSERT_TRUE(program);
  EXPECT_EQ(program->main().name, "second");
  EXPECT_EQ(program->specification, 10);
  EXPECT_EQ(program->main().interface.inputs.at(0).default_value, 0.25);
  EXPECT_EQ(program->main().body.nodes.front().name, "another name");
  EXPECT_EQ(program->attributes.size(), 2u);
  round_trip(*program);
  expect_fixpoint(*program);
}

TEST(Text, InterfaceLinesLoseNothing) {
  auto program = read("func main<ios17>(tensor<fp32, [1, 3, 8, 8]> x) { y = relu(x = x); } -> (y);");
  ASSERT_TRUE(program);
  Interface& interface = program->main().interface;
  Feature image{.name = "a face", .description = "say \"hi\"", .kind = Feature::Kind::image};
  image.color = Color::gray_fp16;
  image.width = 256, image.height = 128;
  image.sizes = {{256, 128}, {64, 64}};
  image.size_range = {{{1, 512}, {2, -1}}};
  Feature array{.name = "x", .optional = true, .dtype = DType::fp16, .shape = {1, 3, 8, 8}};
  array.shapes = {{1, 3, 8, 8}, {1, 3, 4, 4}};
  array.ranges = {{1, 1}, {3, -1}};
  array.default_value = 1e-300;
  array.default_type = DType::fp64;
  Feature odd{.name = "odd", .kind = Feature::Kind::int64, .dtype = DType::int32, .shape = {7}};
  odd.default_type = DType::int32;
  odd.color = Color::bgr;
  odd.width = 3;
  odd.string_keys = true;
  interface.inputs = {image, array, odd};
  Feature sequence{.name = "ids", .kind = Feature::Kind::sequence};
  sequence.length = {0, 5};
  Feature dictionary{.name = "p", .kind = Feature::Kind::dictionary};
  dictionary.string_keys = true;
  interface.outputs = {sequence, dictionary, {.name = "s", .kind = Feature::Kind::string}};
  interface.states = {{.name = "st", .kind = Feature::Kind::state, .dtype = DType::fp16, .shape = {1, 8}}};
  interface.predicted_probabilities = "p";
  const std::string text = to_text(*program, {.exact = true});
  const auto again = read(text);
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->main().interface == interface) << text;
  interface = {};
  const auto none = read(to_text(*program));
  ASSERT_TRUE(none);
  EXPECT_TRUE(none->main().interface == interface);
}

TEST(Text, FlexibleShapesGoToTheInterface) {
  const auto program = read(R"(program(1.0)
{
    func main<ios17>(tensor<fp32, [1, ?]> c, tensor<fp32, [1, 128]> s) [FlexibleShapeInformation = tuple<tuple<tensor<string, []>, dict<tensor<string, []>, tensor<int32, [?]>>>, tuple<tensor<string, []>, dict<tensor<string, []>, list<tensor<int32, [2]>, ?>>>>((("DefaultShapes", {{"c", [1, 266]}}), ("RangeDims", {{"c", [[1, 1], [2, 4000]]}})))] {
            tensor<fp32, [1, ?]> y = relu(x = c)[name = tensor<string, []>("y")];
        } -> (y);
})");
  ASSERT_TRUE(program);
  const Feature& c = program->main().interface.inputs.at(0);
  EXPECT_EQ(c.shape, (Dims{1, 266}));
  EXPECT_EQ(c.ranges, (std::vector<SizeRange>{{1, 1}, {2, 4000}}));
  EXPECT_TRUE(program->main().attributes.empty()) << "kept in one place only";
  round_trip(*program);
  const auto enumerated = read(R"(func main<ios17>(tensor<fp32, [1, ?]> c) [FlexibleShapeInformation =
    tuple<tuple<string, dict<string, tensor<int32, [?]>>>, tuple<string, dict<string, dict<string, tensor<int32, [?]>>>>>(
    (("DefaultShapes", {{"c", [1, 4]}}), ("EnumeratedShapes", {{"k1", {{"c", [1, 4]}}}, {"k2", {{"c", [1, 8]}}}})))] {
      y = relu(x = c);
    } -> (y);)");
  ASSERT_TRUE(enumerated);
  EXPECT_EQ(enumerated->main().interface.inputs.at(0).shapes, (std::vector<Dims>{{1, 4}, {1, 8}}));
  EXPECT_TRUE(enumerated->main().interface.inputs.at(0).ranges.empty());
}

TEST(Text, WeightsGoThroughTheSinkAndBack) {
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
    if (!file.contains(offset)) return bad_input("E0399", "no such place");
    return *file[offset];
  };
  const auto again = read(text, reading);
  ASSERT_TRUE(again);
  std::string difference;
  EXPECT_TRUE(same_program(*program, *again, &difference)) << difference;
  file.erase(64);
  const auto lost = parse(text, ops(), reading);
  ASSERT_FALSE(lost);
  EXPECT_NE(render(lost.error()).find("error[E0399]: no such place\n  --> text.mil:"), std::string::npos);
  const auto without = read(text);  // no reader: payloads are marked as missing, and the place survives
  ASSERT_TRUE(without);
  EXPECT_EQ(without->main().body.constants.front()->constant->missing, "@model_path/weights/weight.bin:64");
  EXPECT_EQ(round_trip(*without), text);
}

TEST(Text, BigPayloadsAreSummarised) {
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

TEST(Text, SpansPointAtStatements) {
  const auto program = read(kNested);
  ASSERT_TRUE(program);
  const Printed printed = print(*program);
  std::size_t count = 0;
  for_each_node(static_cast<const Block&>(program->main().body), [&](const Node& node) {
    ++count;
    const TextSpan& span = printed.nodes.at(&node);
    const std::string text = printed.source->text.substr(span.begin, span.end - span.begin);
    EXPECT_EQ(text.find('\n'), std::string::npos);
    EXPECT_EQ(text.find(to_text(node).substr(0, to_text(node).size() - 1)), 0u) << text;
  });
  EXPECT_EQ(count, printed.nodes.size());
  EXPECT_EQ(printed.functions.size(), 1u);
}

TEST(Text, GoldenAnswersAreNotRead) {
  EXPECT_TRUE(read("// RUN: print %s\nfunc main<ios17>() { c = int32(1); } -> (c);\n// ----\n$ anemone (((\n"));
}

std::string shared_folder() {
  const char* given = std::getenv("ANEMONE_SHARED");
  return given ? given : "../shared";
}

// Apple's own text. Its operations are opaque here; ops/ has the test with the real table.
TEST(Text, ReadsWhatApplesCompilerWrote) {
  const std::filesystem::path path = shared_folder() + "/zoo/coreml/silero_unified.mlmodelc/model.mil";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "SKIPPED: " << path << " is not here";
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  std::map<const Constant*, std::uint64_t> offsets;
  std::vector<ConstantPtr> keep;
  ParseOptions options;
  options.trust_types = true;
  const auto program = read(text.str(), options);
  ASSERT_TRUE(program);
  EXPECT_EQ(program->main().opset, Target::ios15);
  EXPECT_EQ(program->main().body.nodes.size(), 48u);
  EXPECT_EQ(program->main().body.constants.size(), 89u);
  EXPECT_EQ(program->main().body.nodes.front().name, "cast_11");
  const std::string printed = round_trip(*program, options);
  // The same lines, but for their order and for the `name` attributes of constants, which the graph does not keep.
  const auto lines = [](const std::string& all) {
    std::multiset<std::string> out;
    std::stringstream stream(all);
    for (std::string line; std::getline(stream, line);) {
      const std::size_t name = line.find(" = const()[name = ");
      if (name != std::string::npos) line.erase(name + 10, line.find(", val = ") - name - 10);
      out.insert(line);
    }
    return out;
  };
  EXPECT_EQ(lines(printed), lines(text.str()));
}

TEST(Text, IsQuick) {
  auto program = std::make_unique<Program>(ops());
  Function& main = program->add_function("main", Target::ios17);
  Value* x = main.body.add_input("x", Type::tensor(DType::fp16, {1, 3, 8, 8}));
  Builder builder(main.body);
  Value* w = builder.constant(make_constant(DType::fp16, {3, 3, 1, 1}, std::vector<double>(9, 0.5)));
  for (int i = 0; i < 1300; ++i) {
    x = builder.add("conv", {{"x", x}, {"weight", w}, {"strides", {1, 1}}, {"pad_type", "custom"}});
    x = builder.add("add", {{"x", x}, {"y", builder.scalar(DType::fp16, i)}});
  }
  main.body.set_outputs({x});
  main.interface = derive_interface(main);
  ASSERT_TRUE(builder.finish());
  const auto begin = std::chrono::steady_clock::now();
  const std::string text = to_text(*program, {.exact = true});
  const auto printed = std::chrono::steady_clock::now();
  const auto again = read(text);
  const auto parsed = std::chrono::steady_clock::now();
  ASSERT_TRUE(again);
  EXPECT_TRUE(verify(*again));
  const auto verified = std::chrono::steady_clock::now();
  const auto ms = [](auto duration) { return std::chrono::duration<double, std::milli>(duration).count(); };
  std::printf("%zu statements: print %.1f ms, parse %.1f ms, verify %.1f ms\n",
              again->main().body.nodes.size() + again->main().body.constants.size(), ms(printed - begin),
              ms(parsed - printed), ms(verified - parsed));
#if defined(__OPTIMIZE__) && !defined(__SANITIZE_ADDRESS__)
  EXPECT_LT(ms(printed - begin), 200) << "normally about 5";
  EXPECT_LT(ms(parsed - printed), 400) << "normally about 10";
#endif
}

}  // namespace
}  // namespace anemone
