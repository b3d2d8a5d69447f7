// Analyses of programs small enough to count by hand, of packages by others, and of checkpoints known and unknown.
#include "anemone/toolchain/analyze.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "anemone/formats/torch/checkpoint_writer.h"
#include "anemone/toolchain/checkpoints.h"
#include "anemone/toolchain/deliver.h"
#include "tests/support/data.h"

namespace anemone::toolchain {
namespace {

namespace fs = std::filesystem;

/// A folder that goes away with the test.
class Analyze : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "analyze-XXXXXX").string();
    ASSERT_TRUE(::mkdtemp(pattern.data()));
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path text(std::string_view program) {
    const fs::path path = folder_ / "program.mil";
    std::ofstream(path) << program;
    return path;
  }
  fs::path folder_;
};

Result<Analysis> analyze_file(const fs::path& path, const AnalyzeRequest& request = {}, const Talk& talk = {}) {
  TRY(const Model model, load(path, {.program_needed = false, .talk = talk}));
  return analyze(model, request);
}

Analysis analysed(const fs::path& path, const AnalyzeRequest& request = {}) {
  auto result = analyze_file(path, request);
  EXPECT_TRUE(result) << (result ? "" : render(result.error()));
  return result ? *std::move(result) : Analysis{};
}

const plan::Finding* find(const Analysis& a, std::string_view code) {
  for (const plan::Finding& f : a.findings) {
    if (f.code == code) return &f;
  }
  return nullptr;
}

const LayerKind& kind(const Analysis& a, std::string_view name) {
  static const LayerKind kNone;
  for (const LayerKind& k : a.layers.composition) {
    if (k.kind == name) return k;
  }
  ADD_FAILURE() << "no kind " << name;
  return kNone;
}

constexpr std::string_view kSmall = R"(program(1.3) {
  func main<ios17>(tensor<fp32, [1, 3, 8, 8]> x) {
    w = tensor<fp32, [4, 3, 3, 3]>(splat(1e-7));
    b = tensor<fp32, [4]>(splat(1000000));
    v = tensor<fp32, [1, 3, 1, 1]>(splat(1e-9));
    c = conv(x = x, weight = w, bias = b, strides = [1, 1], pad_type = "custom", pad = [1, 1, 2, 0], dilations = [1, 1], groups = 1);
    unused = conv(x = x, weight = v, strides = [1, 1], pad_type = "valid", pad = [0, 0, 0, 0], dilations = [1, 1], groups = 1);
    u = upsample_nearest_neighbor(x = c, scale_factor_height = fp32(2), scale_factor_width = fp32(2));
    t = transpose(x = u, perm = [0, 2, 3, 1]);
    k = concat(values = (u, u), axis = 1, interleave = false);
  } -> (k, t);
}
)";

TEST_F(Analyze, CountsAProgram) {
  const Analysis a = analysed(text(kSmall));
  EXPECT_EQ(a.format, "MIL text");
  EXPECT_EQ(a.network, "unknown");
  EXPECT_EQ(a.macs, 4 * 8 * 8 * 27 + 8 * 8 * 3);
  EXPECT_EQ(a.ops.total, 5);
  EXPECT_EQ(a.layers.total, 5);
  EXPECT_FALSE(a.layers.modules);
  EXPECT_EQ(a.layers.by_type.at("conv"), 2);
  EXPECT_EQ(a.parameters.total, 108 + 4 + 3);
  EXPECT_EQ(a.parameters.live, 112);
  EXPECT_EQ(a.parameters.dead, 3);
  EXPECT_EQ(a.dead_modules, std::vector<std::string>{"v"});
  EXPECT_EQ(a.fp32_bytes(), 460);
  EXPECT_EQ(a.fp16_bytes(), 230);
  ASSERT_EQ(a.inputs.size(), 1u);
  EXPECT_EQ(a.inputs[0].shape, (Dims{1, 3, 8, 8}));
  ASSERT_EQ(a.outputs.size(), 2u);
  // u lives while t and k are written: 4 kB + 4 kB + 8 kB.
  EXPECT_EQ(a.peak.bytes, 16384);
  EXPECT_EQ(a.peak.at, "k");
  ASSERT_EQ(a.peak.live.size(), 3u);
  EXPECT_EQ(a.peak.live[0].name, "k");
  ASSERT_EQ(a.by_stage.size(), 3u);
  EXPECT_EQ(a.by_stage[0].name, "8x8");
  EXPECT_EQ(a.by_stage[0].macs, a.macs);
  EXPECT_EQ(a.by_stage[0].weight_bytes, 460);
  EXPECT_EQ(a.by_kind[0].name, "conv");
  EXPECT_EQ(kind(a, "Convolution").macs, a.macs);
  EXPECT_EQ(a.largest_weights[0].name, "w");
  EXPECT_EQ(a.largest_activations[0].bytes, 8192);
}

TEST_F(Analyze, SeesPatternsAndHazards) {
  const Analysis a = analysed(text(kSmall));
  ASSERT_EQ(a.interpolation.size(), 1u);
  EXPECT_EQ(a.interpolation[0].what, "upsample_nearest_neighbor 2x2");
  ASSERT_EQ(a.concats.size(), 1u);
  EXPECT_EQ(a.concats[0].what, "concat on axis 1 of 4: 4+4");
  ASSERT_EQ(a.pads.size(), 1u);
  EXPECT_EQ(a.pads[0].what, "conv with unequal padding [1,1,2,0]");
  ASSERT_EQ(a.layouts.size(), 1u);
  EXPECT_EQ(a.layouts[0].ops, std::vector<std::string>{"t"});
  EXPECT_TRUE(a.dynamic.empty());
  EXPECT_EQ(a.weights.total.elements, 115);
  EXPECT_EQ(a.weights.total.overflow, 4);
  EXPECT_EQ(a.weights.total.subnormal, 108);
  EXPECT_EQ(a.weights.total.zeroed, 3);
  EXPECT_EQ(a.weights.total.not_finite, 0);
  ASSERT_TRUE(find(a, "weights-overflow"));
  EXPECT_EQ(find(a, "weights-overflow")->ops, std::vector<std::string>{"b"});
  EXPECT_TRUE(find(a, "weights-subnormal"));
  EXPECT_TRUE(find(a, "dead-weights"));
  // The planner's opinion, not another one: everything is fp32.
  EXPECT_EQ(kind(a, "Convolution").engine.ane, "incompatible");
  EXPECT_EQ(kind(a, "Convolution").engine.code, "ANE001");
  for (std::size_t i = 1; i < a.findings.size(); ++i)
    EXPECT_GE(a.findings[i - 1].cost_us.value_or(0), a.findings[i].cost_us.value_or(0));
}

TEST_F(Analyze, FindsWhatIsDecidedAtRunTime) {
  const Analysis a = analysed(text(R"(program(1.3) {
  func main<ios17>(tensor<fp16, [1, 3, ?, ?]> x) {
    s = shape(x = x);
    r = relu(x = x);
    y = reshape(x = r, shape = s);
  } -> (y);
}
)"));
  ASSERT_EQ(a.dynamic.size(), 3u);
  EXPECT_EQ(a.dynamic[0].what, "shape");
  EXPECT_EQ(a.dynamic[1].what, "has an extent that is not known");
  EXPECT_EQ(a.dynamic[2].what, "reshape takes its shape at run time");
  ASSERT_TRUE(find(a, "dynamic-shapes"));
  EXPECT_EQ(find(a, "dynamic-shapes")->ops.size(), 3u);
}

TEST_F(Analyze, ReadsLargeWeightsOnlyWhenAsked) {
  ConvertOptions options;
  options.precision = PackagePrecision::fp32;
  options.passes = {"none"};
  const fs::path package = folder_ / "small.mlpackage";
  const auto small = load(text(kSmall));
  ASSERT_TRUE(small);
  const auto delivered = deliver(*small, package, options);
  ASSERT_TRUE(delivered) << render(delivered.error());
  const Analysis all = analysed(package);
  EXPECT_TRUE(all.weights.done);
  EXPECT_EQ(all.weights.bytes, 460);
  EXPECT_EQ(all.weights.total.overflow, 4);
  EXPECT_EQ(all.weights.total.subnormal, 108);
  const Analysis none = analysed(package, {.scan_limit = 459});
  EXPECT_FALSE(none.weights.done);
  ASSERT_TRUE(find(none, "weights-not-read"));
  EXPECT_FALSE(find(none, "weights-not-read")->checked);
  EXPECT_FALSE(find(none, "weights-overflow"));
  const Analysis asked = analysed(package, {.weights = true, .scan_limit = 0});
  EXPECT_TRUE(asked.weights.done);
  EXPECT_EQ(asked.weights.total.overflow, 4);
}

TEST_F(Analyze, AnswersForAStarCheckpoint) {
  const fs::path path = folder_ / "star file.pkl";
  ASSERT_TRUE(synth_star_checkpoint(path, {}));
  const Analysis a = analysed(path);
  EXPECT_EQ(a.network, "star");
  EXPECT_EQ(a.layers.total, 915);
  EXPECT_EQ(kind(a, "Convolution").modules, 538);
  EXPECT_EQ(kind(a, "Convolution").ops, 212);
  EXPECT_EQ(kind(a, "Convolution").engine.ane, "compatible");
  EXPECT_EQ(kind(a, "BatchNorm").modules, 182);
  EXPECT_EQ(kind(a, "ReLU").modules, 64);
  EXPECT_EQ(kind(a, "Linear").modules, 0);
  std::int64_t modules = 0, ops = 0;
  for (const LayerKind& k : a.layers.composition) modules += k.modules, ops += k.ops;
  EXPECT_EQ(modules, 915);
  EXPECT_EQ(ops, a.ops.total);
  EXPECT_EQ(a.layers.by_type.at("Conv2d"), 269);
  EXPECT_EQ(a.layers.by_type.at("ConvBlock"), 264);
  EXPECT_EQ(a.layers.by_type.at("CoordConvTh"), 5);
  EXPECT_NE(a.layers.note.find("538 modules have 'Conv' in their class name"), std::string::npos);
  EXPECT_NE(a.layers.note.find("212 convolutions execute, 57 Conv2d never run"), std::string::npos);
  EXPECT_EQ(a.parameters.total, 17177332);
  EXPECT_EQ(a.parameters.live, 13476468);
  EXPECT_EQ(a.parameters.dead, 3700864);
  EXPECT_EQ(a.dead_modules.size(), 57u);
  EXPECT_EQ(a.macs, 17337155584);
  ASSERT_EQ(a.output_choices.size(), 2u);
  const OutputChoice &all = a.output_choices[0], &last = a.output_choices[1];
  EXPECT_EQ(all.name, "all");
  EXPECT_EQ(all.outputs, 16u);
  EXPECT_EQ(all.ops, a.ops.total);
  EXPECT_EQ(all.macs, a.macs);
  EXPECT_EQ(last.name, "final");
  EXPECT_EQ(last.outputs, 1u);
  EXPECT_LT(last.ops, all.ops);
  EXPECT_EQ(last.macs, a.macs);  // every stack feeds the next
  EXPECT_LT(last.fixed_macs, all.fixed_macs);
  EXPECT_EQ(last.parameters_dead, 0);
  EXPECT_EQ(a.tree.size(), 916u);
  EXPECT_EQ(a.tree[0].type, "StackedHGNetV1");
  const auto at = [&](std::string_view path_of) {
    return std::find_if(a.tree.begin(), a.tree.end(), [&](const ModuleRow& row) { return row.path == path_of; });
  };
  EXPECT_LT(at("pre.2"), at("pre.3"));  // a list in its order, although the pool has no tensors
  ASSERT_FALSE(a.advice.empty());
  EXPECT_NE(a.advice[0].command.find("star file.pkl' -o 'star file.mlpackage'"), std::string::npos)
      << a.advice[0].command;
}

formats::CheckpointEntry entry(std::string name, std::vector<std::int64_t> shape) {
  std::int64_t count = 1;
  for (const std::int64_t d : shape) count *= d;
  formats::CheckpointEntry e;
  e.name = std::move(name);
  e.shape = std::move(shape);
  e.data = Bytes::owned(std::vector<std::byte>(static_cast<std::size_t>(count) * 4));
  return e;
}

TEST_F(Analyze, DescribesUnknownCheckpoints) {
  const fs::path path = folder_ / "other.pth";
  std::string deep = "a";
  for (int i = 0; i < 1000; ++i) deep += ".a";
  const std::vector<formats::CheckpointEntry> entries{
      entry("conv1.weight", {8, 3, 3, 3}), entry("bn1.weight", {8}),           entry("bn1.bias", {8}),
      entry("bn1.running_mean", {8}),      entry("bn1.running_var", {8}),      entry("layer1.0.fc.weight", {4, 8}),
      entry("layer1.0.fc.bias", {4}),      entry("layer1.1.norm.weight", {4}), entry("word_emb.weight", {10, 4}),
      entry(deep + ".weight", {1})};
  ASSERT_TRUE(formats::write_checkpoint(path, entries));
  const Analysis a = analysed(path);
  EXPECT_EQ(a.network, "unknown");
  EXPECT_FALSE(a.has_program);
  EXPECT_EQ(a.parameters.total, 216 + 8 + 8 + 32 + 4 + 4 + 40);
  EXPECT_EQ(a.layers.by_type.at("Conv2d"), 1);
  EXPECT_EQ(a.layers.by_type.at("BatchNorm"), 1);
  EXPECT_EQ(a.layers.by_type.at("Linear"), 1);
  EXPECT_EQ(a.layers.by_type.at("Norm"), 1);
  EXPECT_EQ(a.layers.by_type.at("Embedding"), 1);
  ASSERT_EQ(a.groups.size(), 5u);
  EXPECT_EQ(a.groups[0].prefix, "conv1");
  EXPECT_EQ(a.groups[2].prefix, "layer1.0");
  EXPECT_EQ(a.groups[2].parameters, 36);
  EXPECT_EQ(a.groups[2].layers.at("Linear"), 1);
  EXPECT_FALSE(a.needed.empty());
  ASSERT_TRUE(find(a, "E0610"));
  EXPECT_NE(a.notes[0].find("1 tensors with absurd names"), std::string::npos);
  // Who names a network wants that one, and is told why it is not.
  EXPECT_FALSE(load(path, {.network = "star", .program_needed = false}));
}

TEST_F(Analyze, RefusesWhatItCannotRead) {
  EXPECT_EQ(exit_code(analyze_file(folder_ / "missing.mlpackage").error()), 3);
  const auto device = analyze_file(text(kSmall), {.device = "m1por"});
  ASSERT_FALSE(device);
  EXPECT_EQ(exit_code(device.error()), 2);
  EXPECT_EQ(device.error()[0].help, "did you mean 'm1pro'?");
}

TEST(AnalyzeZoo, CountsByHandAgree) {
  const fs::path zoo = test::shared_data() / "zoo/coreml";
  if (!fs::exists(zoo)) GTEST_SKIP() << "SKIPPED: no " << zoo;
  // Two fully connected layers: 28x28 pixels to 800, to 10 digits.
  const Analysis digits = analysed(zoo / "drawmnist.mlpackage");
  EXPECT_EQ(digits.macs, 784 * 800 + 800 * 10);
  EXPECT_EQ(digits.parameters.total, 784 * 800 + 800 + 800 * 10 + 10);
  // Six convolutions over time, output channels x steps x input channels x kernel, and one step of an LSTM: four gates
  // of 128 inputs and 128 states.
  const std::int64_t silero = 258 * 4 * 1 * 256 + 128 * 4 * 129 * 3 + 64 * 2 * 128 * 3 + 64 * 1 * 64 * 3 +
                              128 * 1 * 64 * 3 + 128 + 4 * 128 * (128 + 128);
  for (const char* name : {"silero_unified.mlpackage", "silero_unified.mlmodelc", "silero_unified_int8.mlpackage",
                           "silero_unified_palette_4bit.mlpackage", "silero_unified_pruned_int8.mlpackage"}) {
    const Analysis a = analysed(zoo / name);
    EXPECT_EQ(a.macs, silero) << name;
    EXPECT_EQ(a.parameters.total, 309121) << name;  // however they are packed
  }
}

TEST(AnalyzeZoo, EveryPackageIsAnalysedOrRefused) {
  const fs::path zoo = test::shared_data() / "zoo/coreml";
  if (!fs::exists(zoo)) GTEST_SKIP() << "SKIPPED: no " << zoo;
  for (const auto& file : fs::directory_iterator(zoo)) {
    const auto result = analyze_file(file.path());
    const bool refused = file.path().filename() == "ironmill_simple.mlpackage";  // it has no model file
    EXPECT_EQ(result.has_value(), !refused) << file.path() << (result ? "" : render(result.error()));
    EXPECT_EQ(result ? 0 : exit_code(result.error()), refused ? 3 : 0);
  }
  const Analysis yolo = analysed(zoo / "yolo11n_spec_only.mlpackage");
  ASSERT_FALSE(yolo.notes.empty());
  EXPECT_NE(yolo.notes[0].find("is missing"), std::string::npos);
}

}  // namespace
}  // namespace anemone::toolchain
