// Each pass on a small program in MIL text: what it does, what it leaves alone, and that the runner would catch it
// lying.
#include <gtest/gtest.h>

#include "anemone/ir/text/parse.h"
#include "anemone/ir/text/print.h"
#include "anemone/ir/verify.h"
#include "anemone/ops/interface_edits.h"
#include "anemone/ops/ops.h"
#include "anemone/passes/pass.h"

namespace anemone::passes {
namespace {

std::unique_ptr<Program> program(std::string body, std::string signature = "tensor<fp32, [1, 4, 6, 6]> x",
                                 std::string opset = "ios17") {
  auto parsed = parse("func main<" + opset + ">(" + signature + ") {\n" + body + "\n", ops::table());
  EXPECT_TRUE(parsed) << render(parsed.error());
  return parsed ? *std::move(parsed) : nullptr;
}

// Runs in check mode: verified, executed before and after, run twice.
std::vector<PassReport> run(Program& p, std::vector<std::string_view> passes) {
  auto reports = run_passes(p, {.passes = std::move(passes), .check = true});
  EXPECT_TRUE(reports) << render(reports.error());
  return reports ? *reports : std::vector<PassReport>{};
}

std::map<std::string, int> histogram(const Program& p) {
  std::map<std::string, int> counts;
  for_each_node(p.main().body, [&](const Node& node) { ++counts[node.type]; });
  return counts;
}

constexpr std::string_view kConvNorm = R"(
  w = tensor<fp32, [4, 4, 3, 3]>(random(seed = 1));
  b = tensor<fp32, [4]>(random(seed = 2));
  m = tensor<fp32, [4]>(random(seed = 3));
  v = tensor<fp32, [4]>([0.5, 1.0, 1.5, 2.0]);
  g = tensor<fp32, [4]>(random(seed = 4));
  y = conv(x = x, weight = w, bias = b, strides = [1, 1], pad_type = "custom", pad = [1, 1, 1, 1], dilations = [1, 1], groups = 1);
  z = batch_norm(x = y, mean = m, variance = v, gamma = g, epsilon = fp32(1e-5));
)";

TEST(FuseConvBatchnorm, FoldsAndKeepsTheName) {
  auto p = program(std::string(kConvNorm) + "} -> (z);");
  const auto reports = run(*p, {"fuse_conv_batchnorm", "dead_code_elimination"});
  ASSERT_EQ(reports.size(), 2u);
  EXPECT_EQ(reports[0].counts.at("batch norms folded"), 1u);
  EXPECT_EQ(histogram(*p), (std::map<std::string, int>{{"conv", 1}}));
  EXPECT_EQ(p->main().body.outputs()[0]->name, "z");
}

TEST(FuseConvBatchnorm, LeavesAConvolutionWithOtherUsers) {
  auto p = program(std::string(kConvNorm) + "} -> (y, z);");
  const auto reports = run(*p, {"fuse_conv_batchnorm"});
  EXPECT_FALSE(reports[0].changed);
  ASSERT_EQ(reports[0].remarks.size(), 1u);
  EXPECT_NE(reports[0].remarks[0].find("other users"), std::string::npos);
}

TEST(FuseConvBatchnorm, FoldsGroupedTransposedConvolutions) {
  auto p = program(R"(
    w = tensor<fp32, [4, 3, 2, 2]>(random(seed = 1));
    m = tensor<fp32, [6]>(random(seed = 3));
    v = tensor<fp32, [6]>(splat(0.7));
    y = conv_transpose(x = x, weight = w, strides = [2, 2], pad_type = "custom", pad = [0, 0, 0, 0], dilations = [1, 1], groups = 2);
    z = batch_norm(x = y, mean = m, variance = v, epsilon = fp32(1e-5));
  } -> (z);)");
  run(*p, {"fuse_conv_batchnorm"});
  EXPECT_EQ(histogram(*p), (std::map<std::string, int>{{"conv_transpose", 1}}));
}

TEST(ConstElimination, FoldsWhatIsKnown) {
  auto p = program(R"(
    a = tensor<fp32, [1, 4, 1, 1]>(iota());
    c = mul(x = a, y = fp32(2));
    d = add(x = c, y = fp32(1));
    y = add(x = x, y = d);
  } -> (y);)");
  const auto reports = run(*p, {"const_elimination", "dead_code_elimination"});
  EXPECT_EQ(reports[0].counts.at("operations folded"), 2u);
  EXPECT_EQ(histogram(*p), (std::map<std::string, int>{{"add", 1}}));
}

TEST(ConstElimination, AFoldedOutputKeepsItsName) {
  auto p =
      program("  a = tensor<fp32, [2]>(iota());\n  c = mul(x = a, y = fp32(2));\n  y = relu(x = x);\n} -> (c, y);");
  run(*p, {"const_elimination"});
  ASSERT_TRUE(p->main().body.outputs()[0]->constant);
  EXPECT_EQ(p->main().body.outputs()[0]->name, "c");
}

TEST(DeadCodeElimination, RemovesChainsAndTheirConstants) {
  auto p = program(std::string(kConvNorm) + "  r = relu(x = x);\n} -> (r);");
  const auto reports = run(*p, {"dead_code_elimination"});
  EXPECT_EQ(reports[0].counts.at("operations removed"), 2u);
  EXPECT_TRUE(p->main().body.constants.empty());
}

TEST(ConstDeduplication, SharesEqualContentOfEqualType) {
  auto p = program(R"(
    a = tensor<fp32, [4]>(splat(1.0));
    b = tensor<fp32, [4]>(splat(1.0));
    c = tensor<fp32, [1, 4]>(splat(1.0));
    u = tensor<fp32, [4]>(splat(2.0));
    y = batch_norm(x = x, mean = a, variance = b, epsilon = fp32(0.0625));
    z = batch_norm(x = y, mean = u, variance = b, epsilon = fp32(0.0625));
  } -> (z);)");
  const auto reports = run(*p, {"const_deduplication"});
  EXPECT_EQ(reports[0].counts.at("constants shared"), 1u);
}

TEST(AddFp16Cast, ArraysBecomeHalfFromIos16) {
  auto p = program(std::string(kConvNorm) + "  y2 = relu(x = z);\n} -> (y2);");
  run(*p, {"add_fp16_cast"});
  const Function& main = p->main();
  EXPECT_EQ(main.body.inputs[0]->type.dtype, DType::fp16);
  EXPECT_EQ(main.interface.outputs[0].dtype, DType::fp16);
  EXPECT_EQ(histogram(*p).count("cast"), 0u);
}

TEST(AddFp16Cast, Ios15KeepsItsInterfaceBehindCasts) {
  auto p = program("  y = relu(x = x);\n} -> (y);", "tensor<fp32, [1, 4, 6, 6]> x", "ios15");
  run(*p, {"add_fp16_cast"});
  EXPECT_EQ(p->main().interface.inputs[0].dtype, DType::fp32);
  EXPECT_EQ(histogram(*p).at("cast"), 2);
  EXPECT_EQ(p->main().body.outputs()[0]->name, "y");
}

TEST(AddFp16Cast, AnImageKeepsFp32AndGetsOneCast) {
  auto p = program("  y = relu(x = x);\n} -> (y);", "tensor<fp32, [1, 3, 8, 8]> x");
  ASSERT_TRUE(ops::make_image_input(p->main(), "x", {Color::bgr, 2.0 / 255, {-1, -1, -1}}));
  run(*p, {"add_fp16_cast"});
  const auto counts = histogram(*p);
  EXPECT_EQ(counts.at("cast"), 1);
  EXPECT_EQ(p->main().body.nodes.front().type, "cast");  // nothing but the boundary is fp32
  for (const Node& node : p->main().body.nodes) EXPECT_EQ(node.output()->type.dtype, DType::fp16) << node.type;
}

TEST(AddFp16Cast, WhatDoesNotFitStaysFp32) {
  auto p = program(R"(
    m = tensor<fp32, [4]>(splat(0.0));
    v = tensor<fp32, [4]>(splat(100000.0));
    y = batch_norm(x = x, mean = m, variance = v, epsilon = fp32(0.0625));
    z = relu(x = y);
  } -> (z);)");
  const auto reports = run(*p, {"add_fp16_cast"});
  EXPECT_EQ(histogram(*p).at("cast"), 2);
  ASSERT_FALSE(reports[0].remarks.empty());
  EXPECT_NE(reports[0].remarks[0].find("does not fit in fp16"), std::string::npos);
}

TEST(AddFp16Cast, EpsilonIsWideFromIos17AndNeverBecomesZero) {
  const std::string body = "  y = instance_norm(x = x, epsilon = fp32(1e-9));\n} -> (y);";
  auto wide = program(body);
  run(*wide, {"add_fp16_cast"});
  EXPECT_EQ(wide->main().body.nodes.front().constant("epsilon")->type.dtype, DType::fp32);
  auto narrow = program(body, "tensor<fp32, [1, 4, 6, 6]> x", "ios16");
  run(*narrow, {"add_fp16_cast"});
  const Node& norm = narrow->main().body.nodes.front();
  EXPECT_EQ(norm.constant("epsilon")->type.dtype, DType::fp16);
  EXPECT_GT(scalar(*norm.constant("epsilon")), 0);
}
// Sabotage: whichever way a pass lies, the runner must notice.
std::string caught(Numerics numerics, BlockPass pass) {
  auto p = program("  y = transpose(x = x, perm = [0, 1, 3, 2]);\n  z = relu(x = y);\n} -> (z);");
  const Pass row{"sabotage", "", numerics, pass};
  const auto reports = run_passes(*p, std::span(&row, 1), {.passes = {}, .check = true});
  return reports ? "" : reports.error()[0].message;
}

Result<bool> changes_in_silence(Block& block, PassContext&) {
  block.nodes.front().output()->name = "renamed";
  return false;
}
Result<bool> claims_a_change(Block&, PassContext&) { return true; }
Result<bool> keeps_types_but_not_numbers(Block& block, PassContext&) {
  Node& transpose = block.nodes.front();
  if (transpose.type != "transpose") return false;
  replace_uses(*transpose.output(), *transpose.input("x"));  // the map is square: no type changes
  block.erase(transpose);
  return true;
}
Result<bool> never_settles(Block& block, PassContext&) {
  block.nodes.back().name += "x";
  return true;
}
Result<bool> breaks_the_graph(Block& block, PassContext&) {
  block.nodes.splice(block.nodes.begin(), block.nodes, std::prev(block.nodes.end()));
  return true;
}

TEST(Runner, CatchesPassesThatLie) {
  EXPECT_NE(caught(Numerics::exact, changes_in_silence).find("says that it did not change"), std::string::npos);
  EXPECT_NE(caught(Numerics::exact, claims_a_change).find("says that it changed"), std::string::npos);
  EXPECT_NE(caught(Numerics::rounding, keeps_types_but_not_numbers).find("changed output 'z' at"), std::string::npos);
  EXPECT_NE(caught(Numerics::exact, never_settles).find("a second time"), std::string::npos);
  EXPECT_NE(caught(Numerics::exact, breaks_the_graph), "");
}

TEST(Runner, NamesUnknownPasses) {
  auto p = program("  y = relu(x = x);\n} -> (y);");
  const auto reports = run_passes(*p, {.passes = {"fuse_everything"}});
  ASSERT_FALSE(reports);
  EXPECT_EQ(exit_code(reports.error()), 2);
}

TEST(InterfaceEdits, SelectsAnyValueAndSuggestsNames) {
  auto p = program("  first = relu(x = x);\n  second = sigmoid(x = first);\n} -> (second);");
  const std::string names[] = {"first"};
  ASSERT_TRUE(ops::select_outputs(p->main(), names));
  EXPECT_EQ(p->main().interface.outputs.size(), 1u);
  EXPECT_EQ(p->main().interface.outputs[0].shape, (Dims{1, 4, 6, 6}));
  const std::string wrong[] = {"frist"};
  const auto refused = ops::select_outputs(p->main(), wrong);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error()[0].help.find("first"), std::string::npos);
}

TEST(InterfaceEdits, AnImageNeedsItsChannels) {
  auto p = program("  y = relu(x = x);\n} -> (y);");
  EXPECT_FALSE(ops::make_image_input(p->main(), "x", {Color::rgb, 1, {}}));  // four channels
  auto gray = program("  y = relu(x = x);\n} -> (y);", "tensor<fp32, [1, 1, 8, 8]> x");
  ASSERT_TRUE(ops::make_image_input(gray->main(), "x", {Color::gray, 1, {}}));
  EXPECT_EQ(histogram(*gray), (std::map<std::string, int>{{"relu", 1}}));  // scale 1 and no bias cost nothing
}

TEST(InterfaceEdits, ATargetThatLacksAnOperationIsRefused) {
  auto p = program("  y = resize(x = x, shape = [12, 12], resized_dims = uint32(2));\n} -> (y);");
  const auto refused = ops::set_target(*p, Target::ios15);
  ASSERT_FALSE(refused);
  EXPECT_NE(render(refused.error()).find("ios17"), std::string::npos);
}

}  // namespace
}  // namespace anemone::passes
