// Print and parse: what is written reads back equal, in the exact form bit by bit.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "anemone/ir/builder.h"
#include "anemone/ir/derive_interface.h"
#include "anemone/ir/text/text_test_util.h"
#include "tests/support/data.h"

namespace anemone {
namespace {

using test::expect_fixpoint;
using test::ops;
using test::read;
using test::round_trip;

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

// Apple's own text. Its operations are opaque here; ops/ has the test with the real table.
TEST(Text, ReadsWhatApplesCompilerWrote) {
  const std::filesystem::path path = test::shared_data() / "zoo/coreml/silero_unified.mlmodelc/model.mil";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "SKIPPED: " << path << " is not here";
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
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
  // The processor's time: the clock on the wall also counts what other programs do.
  const std::clock_t begin = std::clock();
  const std::string text = to_text(*program, {.exact = true});
  const std::clock_t printed = std::clock();
  const auto again = read(text);
  const std::clock_t parsed = std::clock();
  ASSERT_TRUE(again);
  EXPECT_TRUE(verify(*again));
  const std::clock_t verified = std::clock();
  const auto ms = [](std::clock_t ticks) { return 1e3 * static_cast<double>(ticks) / CLOCKS_PER_SEC; };
  std::printf("%zu statements: print %.1f ms, parse %.1f ms, verify %.1f ms\n",
              again->main().body.nodes.size() + again->main().body.constants.size(), ms(printed - begin),
              ms(parsed - printed), ms(verified - parsed));
#if defined(__OPTIMIZE__) && !defined(__SANITIZE_ADDRESS__)
  EXPECT_LT(ms(printed - begin), 200) << "normally about 5";
  EXPECT_LT(ms(parsed - printed), 400) << "normally about 10";
#endif
}

TEST(Text, InPiecesIsTheSameText) {
  Program program(ops());
  Block& body = program.add_function("main", Target::ios17).body;
  for (int rank : {2, 33}) {  // nested lists, and one flat list
    Dims dims(static_cast<std::size_t>(rank), 1);
    dims.back() = 40000;
    body.add_constant("c", make_constant(DType::fp32, dims, std::vector<double>(40000, 1.0 / 3)));
  }
  const PrintOptions options{.exact = true};
  std::string whole;
  std::size_t longest = 0;
  write_text(program, options, [&](std::string_view piece) {
    whole += piece;
    longest = std::max(longest, piece.size());
  });
  EXPECT_EQ(whole, to_text(program, options));
  EXPECT_GT(whole.size(), 8u * longest);
}

}  // namespace
}  // namespace anemone
