// Recognition, the account of every key, and the graphs that come out.
#include "anemone/frontends/models/network.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <functional>

#include "anemone/frontends/models/retinaface.h"
#include "anemone/frontends/models/star.h"
#include "anemone/frontends/models/synth.h"
#include "anemone/ir/op_def.h"
#include "anemone/ir/verify.h"

namespace anemone::models {
namespace {

using formats::ScalarType;
using formats::StateDict;

/// Zeros for every key of a table: enough for graphs that nobody runs.
StateDict zeros(const KeySpecs& specs) {
  StateDict state;
  state.file = "zeros.pth";
  for (const KeySpec& spec : specs) {
    const ScalarType dtype = spec.role == KeyRole::counter ? ScalarType::int64 : ScalarType::float32;
    const auto bytes = static_cast<std::size_t>(*element_count(spec.shape)) * byte_size(dtype);
    EXPECT_TRUE(torch::append(state, spec.key, dtype, spec.shape, Bytes::owned(std::vector<std::byte>(bytes))));
  }
  return state;
}

KeySpecs without(KeySpecs specs, std::string_view part) {
  std::erase_if(specs, [&](const KeySpec& spec) { return spec.key.find(part) != std::string::npos; });
  return specs;
}

KeySpecs with_shape(KeySpecs specs, std::string_view key, Dims shape) {
  for (KeySpec& spec : specs) {
    if (spec.key == key) spec.shape = shape;
  }
  return specs;
}

Network built(const StateDict& state, const NetworkOptions& options = {}) {
  auto network = build_network(state, options);
  EXPECT_TRUE(network) << (network ? "" : render(network.error()));
  return network ? *std::move(network) : Network{};
}

Diagnostics refused(const StateDict& state, const NetworkOptions& options = {}) {
  auto network = build_network(state, options);
  EXPECT_FALSE(network);
  return network ? Diagnostics{Diagnostic{}} : network.error();
}

std::map<std::string, int> operations(const Network& network) {
  std::map<std::string, int> counts;
  for_each_node(network.program->main().body, [&](const Node& node) { ++counts[node.type]; });
  return counts;
}

const Value* value(const Network& network, const std::string& name) {
  const Value* found = nullptr;
  for_each_node(network.program->main().body, [&](const Node& node) {
    for (const auto& output : node.outputs) {
      if (output->name == name) found = output.get();
    }
  });
  return found;
}

std::vector<std::string> names(const std::vector<Value*>& values) {
  std::vector<std::string> out;
  for (const Value* v : values) out.push_back(v->name);
  return out;
}

TEST(Star, IsRecognisedWithAnyNumberOfPoints) {
  struct Case {
    std::int64_t points, edges, total, live;
  };
  for (const Case& c :
       {Case{98, 9, 17177332, 13476468}, Case{68, 9, 17069572, 13368708}, Case{29, 7, 16925892, 13225028}}) {
    const StarShape shape{.points = c.points, .edges = c.edges};
    const Network network = built(zeros(star_keys(shape)));
    EXPECT_EQ(network.name, "star");
    ASSERT_TRUE(network.landmarks);
    EXPECT_EQ(network.landmarks->points, c.points);
    EXPECT_EQ(network.landmarks->edges, c.edges);
    EXPECT_EQ(network.keys.parameters.total, c.total);
    EXPECT_EQ(network.keys.parameters.live, c.live);
    EXPECT_EQ(network.keys.parameters.dead, 3700864);
    EXPECT_EQ(network.keys.dead_modules.size(), 57u);
    EXPECT_EQ(network.keys.dead_modules.front(), "pre.3.skip_layer");
    EXPECT_EQ(network.keys.used.size(), 1450u - 296u);
    EXPECT_EQ(network.keys.unused_known.size(), 296u);
    EXPECT_EQ(value(network, "landmarks")->type, Type::tensor(DType::fp32, {1, c.points, 2}));
  }
}

TEST(Star, SaysWhatUsersAsk) {
  const Network network = built(zeros(star_keys({})));
  EXPECT_EQ(network.height, 256);
  EXPECT_EQ(network.width, 256);
  ASSERT_TRUE(network.landmarks);
  EXPECT_TRUE(network.constants_depend_on_size);
  EXPECT_EQ(network.landmarks->output, "landmarks");
  EXPECT_EQ(network.default_group, "final");
  EXPECT_EQ(network.preprocessing.color, Color::bgr);
  EXPECT_EQ(network.preprocessing.scale, 2.0 / 255.0);
  EXPECT_EQ(network.preprocessing.bias, (std::vector<double>{-1, -1, -1}));
  const std::vector<std::string> expected{"landmarks0", "pointmap0", "edgemap0", "landmarks1", "pointmap1", "edgemap1",
                                          "landmarks2", "pointmap2", "edgemap2", "pointmap3",  "edgemap3",  "fusion0",
                                          "fusion1",    "fusion2",   "fusion3",  "landmarks"};
  EXPECT_EQ(network.output_groups.at("all"), expected);
  const Function& main = network.program->main();
  EXPECT_EQ(names(main.body.outputs()), expected);
  ASSERT_EQ(main.body.inputs.size(), 1u);
  EXPECT_EQ(main.body.inputs[0]->name, "image");
  EXPECT_EQ(main.body.inputs[0]->type, Type::tensor(DType::fp32, {1, 3, 256, 256}));
}

TEST(Star, NamesTheValuesInside) {
  const Network network = built(zeros(star_keys({})));
  const std::pair<const char*, Dims> expected[] = {
      {"pre", {1, 256, 64, 64}},       {"hgs0", {1, 256, 64, 64}},     {"hgs3", {1, 256, 64, 64}},
      {"features2", {1, 256, 64, 64}}, {"heatmaps0", {1, 98, 64, 64}}, {"pointmap1", {1, 98, 64, 64}},
      {"edgemap3", {1, 9, 64, 64}},    {"fusion2", {1, 98, 64, 64}},   {"landmarks1", {1, 98, 2}}};
  for (const auto& [name, dims] : expected) {
    const Value* found = value(network, name);
    ASSERT_TRUE(found) << name;
    EXPECT_EQ(found->type.dims, dims) << name;
  }
  for (const auto& [alias, name] : network.aliases) {
    EXPECT_TRUE(value(network, name)) << alias;
    EXPECT_FALSE(value(network, alias)) << alias;
  }
  EXPECT_EQ(network.aliases.at("pointmaps0"), "pointmap0");
  EXPECT_EQ(network.aliases.at("landmarks3"), "landmarks");
  const Value* conv = value(network, "hgs_0_low2_up1_conv2_conv");
  ASSERT_TRUE(conv);
  EXPECT_EQ(conv->producer->origin, "checkpoint: hgs.0.low2.up1.conv2.conv");
  EXPECT_EQ(conv->producer->constant("weight")->type.dims, (Dims{128, 128, 3, 3}));
}

TEST(Star, HasTheOperationsOfTheOriginal) {
  const auto counts = operations(built(zeros(star_keys({}))));
  EXPECT_EQ(counts.at("conv"), 212 + 4);  // E2H is one a stack
  EXPECT_EQ(counts.at("batch_norm"), 182);
  EXPECT_EQ(counts.at("max_pool"), 17);
  EXPECT_EQ(counts.at("upsample_nearest_neighbor"), 16);
  EXPECT_EQ(counts.at("instance_norm"), 4);
  EXPECT_EQ(counts.at("sigmoid"), 8);
  EXPECT_EQ(counts.at("concat"), 5);
  EXPECT_EQ(counts.at("greater"), 3);
}

TEST(Star, HasTheModulesOfTheOriginal) {
  const Network network = built(zeros(star_keys({})));
  const std::map<std::string, std::int64_t> expected{
      {"Conv2d", 269},    {"ConvBlock", 264}, {"BatchNorm2d", 182}, {"ReLU", 64},       {"ResBlock", 59},
      {"MaxPool2d", 17},  {"Hourglass", 16},  {"Upsample", 16},     {"ModuleList", 9},  {"Sequential", 5},
      {"CoordConvTh", 5}, {"AddCoordsTh", 5}, {"Activation", 3},    {"E2HTransform", 1}};
  EXPECT_EQ(network.modules.count(), 915u);
  EXPECT_EQ(network.modules.by_type(), expected);
  const Module& root = network.modules.modules[0];
  EXPECT_EQ(root.type, "StackedHGNetV1");
  EXPECT_EQ(root.parameters, 17177332);
  EXPECT_EQ(root.live, 13476468);
  EXPECT_NEAR(static_cast<double>(root.macs) / 1e9, 17.34, 0.03);
  std::int64_t nodes = 0;
  for (const auto& [type, count] : operations(network)) nodes += count;
  EXPECT_EQ(root.operations, nodes);
  const Module* block = network.modules.find("hgs.0.up1");
  ASSERT_TRUE(block);
  EXPECT_EQ(block->type, "ResBlock");
  EXPECT_EQ(block->operations, 10);  // 3 × (norm, ReLU, conv) and the sum
  EXPECT_EQ(block->parameters - block->live, 65792);
  EXPECT_EQ(network.modules.find("hgs.0.up1.skip_layer")->operations, 0);
}

TEST(Star, TakesFilesWithoutDeadTensors) {
  const Network network = built(zeros(without(without(star_keys({}), "num_batches_tracked"), "hgs.1.up1.skip_layer")));
  EXPECT_EQ(network.keys.parameters.live, 13476468);
  EXPECT_EQ(network.keys.parameters.dead, 3700864 - 65792);
  EXPECT_EQ(network.keys.dead_modules.size(), 56u);
}

TEST(Star, TakesOtherSizesAndSmallNetworks) {
  const StarShape small{.points = 5, .edges = 2, .stacks = 2, .channels = 16};
  const StateDict state = zeros(star_keys(small));
  const Network network = built(state, {.height = 64});
  EXPECT_EQ(network.landmarks->points, 5);
  EXPECT_FALSE(network.landmarks->eye_corners) << "no scheme of five points is known";
  EXPECT_EQ(network.program->main().body.inputs[0]->type.dims, (Dims{1, 3, 64, 64}));
  const Network batch = built(state, {.height = 64, .batch = 3});
  EXPECT_EQ(batch.program->main().body.inputs[0]->type.dims, (Dims{3, 3, 64, 64}));
  EXPECT_EQ(value(batch, "landmarks")->type.dims, (Dims{3, 5, 2}));
  EXPECT_EQ(value(network, "fusion1")->type.dims, (Dims{1, 5, 16, 16}));
  EXPECT_EQ(network.program->main().body.outputs().size(), 8u);
  const Network large = built(state, {.width = 320});
  EXPECT_EQ(value(large, "pre")->type.dims, (Dims{1, 16, 80, 80}));
  const std::pair<std::int64_t, std::int64_t> bad[] = {{96, 96}, {0, 0}, {256, 320}, {-64, -64}, {1 << 20, 1 << 20}};
  for (const auto& [height, width] : bad) {
    const auto errors = refused(state, {.height = height, .width = width});
    EXPECT_EQ(errors[0].code, "E0612");
    EXPECT_EQ(exit_code(errors), 2);
  }
  EXPECT_EQ(
      refused(state, {.height = 96})[0].message,
      "star cannot take an input of 96x96 (height x width): it must be square, a multiple of 64 and at most 4096");
}

TEST(Star, SharesTheStorageOfTheFile) {
  const StateDict state = zeros(star_keys({.points = 5, .edges = 2, .stacks = 1, .channels = 16}));
  const Network network = built(state);
  const Constant* weight = value(network, "pre_0_conv")->producer->constant("weight");
  EXPECT_EQ(weight->data.data(), state.find("pre.0.conv.weight")->storage.data());
}

TEST(Star, NamesMissingAndForeignKeys) {
  KeySpecs specs = without(star_keys({}), "hgs.2.low1.conv2");
  specs.push_back({"module.extra.weight", {3}});
  auto errors = refused(zeros(specs));
  ASSERT_EQ(errors.size(), 2u);
  EXPECT_EQ(errors[0].code, "E0605");
  EXPECT_EQ(errors[0].message,
            "the state dict lacks 2 of the 1450 tensors of star: 'hgs.2.low1.conv2.conv.weight', "
            "'hgs.2.low1.conv2.conv.bias'");
  EXPECT_EQ(errors[0].place, "zeros.pth");
  EXPECT_EQ(errors[1].code, "E0606");
  EXPECT_EQ(errors[1].message, "1 of the 1449 tensors do not belong to star: 'module.extra.weight'");
  errors = refused(zeros(without(star_keys({}), "features.1.0")));
  EXPECT_NE(errors[0].message.find("' and 8 more"), std::string::npos) << errors[0].message;
}

TEST(Star, NamesWrongShapes) {
  const auto errors = refused(zeros(with_shape(star_keys({}), "hgs.0.up1.conv2.conv.weight", {128, 64, 3, 3})));
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors[0].code, "E0607");
  EXPECT_EQ(errors[0].message, "key 'hgs.0.up1.conv2.conv.weight' is [128,64,3,3], expected [128,128,3,3]");
}

TEST(Star, RefusesIntegersWhereItWantsNumbers) {
  StateDict state = zeros(star_keys({.points = 5, .edges = 2, .stacks = 1, .channels = 16}));
  for (formats::StoredTensor& tensor : state.tensors) {
    if (tensor.path == "pre.0.conv.bias") tensor.dtype = ScalarType::int32;
  }
  const auto errors = refused(state);
  EXPECT_EQ(errors[0].code, "E0602");
  EXPECT_EQ(errors[0].message, "tensor 'pre.0.conv.bias' holds int32, expected floating-point numbers");
}

TEST(RetinaFace, IsRecognised) {
  const Network network = built(zeros(retinaface_keys()));
  EXPECT_EQ(network.name, "retinaface-mobilenet0.25");
  EXPECT_EQ(network.keys.parameters.total, 426608);
  EXPECT_EQ(network.keys.parameters.dead, 0);
  EXPECT_EQ(network.keys.unused_known.size(), 47u);
  EXPECT_EQ(network.preprocessing.bias, (std::vector<double>{-104, -117, -123}));
  EXPECT_EQ(names(network.program->main().body.outputs()), (std::vector<std::string>{"loc", "conf", "landms"}));
  EXPECT_EQ(value(network, "loc")->type.dims, (Dims{1, 16800, 4}));
  EXPECT_EQ(value(network, "conf")->type.dims, (Dims{1, 16800, 2}));
  EXPECT_EQ(value(network, "landms")->type.dims, (Dims{1, 16800, 10}));
  EXPECT_FALSE(network.landmarks);
  EXPECT_FALSE(network.constants_depend_on_size);
  const auto counts = operations(network);
  EXPECT_EQ(counts.at("conv"), 56);
  EXPECT_EQ(counts.at("batch_norm"), 47);
  EXPECT_EQ(counts.at("leaky_relu"), 38);
  EXPECT_EQ(counts.at("upsample_nearest_neighbor"), 2);
  EXPECT_FALSE(counts.contains("resize_nearest_neighbor"));
  EXPECT_NEAR(static_cast<double>(network.modules.modules[0].macs) / 1e9, 0.981, 0.001);
  EXPECT_EQ(network.modules.by_type().at("Conv2d"), 56);
  EXPECT_EQ(network.modules.by_type().at("SSH"), 3);
  EXPECT_EQ(network.modules.by_type().at("LeakyReLU"), 38);
}

TEST(RetinaFace, BringsMapsToTheExactSizeOfTheOther) {
  const Network network = built(zeros(retinaface_keys()), {.height = 361, .width = 643});
  const auto counts = operations(network);
  EXPECT_EQ(counts.at("resize_nearest_neighbor"), 2);
  EXPECT_TRUE(network.constants_depend_on_size);
  const std::int64_t priors = 2 * (46 * 81 + 23 * 41 + 12 * 21);
  EXPECT_EQ(value(network, "loc")->type.dims, (Dims{1, priors, 4}));
  EXPECT_EQ(refused(zeros(retinaface_keys()), {.height = 0})[0].code, "E0612");
}

TEST(Networks, UnknownTensorsAreDescribed) {
  StateDict state;
  state.file = "other.pth";
  for (const char* key : {"conv1.weight", "layer1.0.weight", "layer1.1.weight", "fc.weight"}) {
    ASSERT_TRUE(torch::append(state, key, ScalarType::float32, {1}, Bytes::owned(std::vector<std::byte>(4))));
  }
  const auto errors = refused(state);
  EXPECT_EQ(errors[0].code, "E0610");
  EXPECT_EQ(errors[0].message, "no known network has these 4 tensors (their names begin with 'conv1', 'layer1', 'fc')");
  EXPECT_EQ(errors[0].place, "other.pth");
  EXPECT_NE(errors[0].help.find("star, retinaface-mobilenet0.25"), std::string::npos);
  EXPECT_EQ(refused(StateDict{})[0].message, "the state dict holds no tensors");
}

/// The same tensors under other names.
StateDict renamed(const StateDict& state, const std::function<std::string(const std::string&)>& rename) {
  StateDict result;
  result.file = state.file;
  for (const formats::StoredTensor& tensor : state.tensors) {
    const std::string name = rename(tensor.path);
    if (name.empty()) continue;
    result.tensors.push_back(tensor);
    result.tensors.back().path = name;
    result.index.emplace(name, result.tensors.size() - 1);
  }
  return result;
}

TEST(Networks, PrefixesOfWrappersAreTriedAndSaid) {
  const StateDict state = zeros(retinaface_keys());
  EXPECT_EQ(built(state).note, "");
  for (const std::string prefix : {"model.", "net.", "my.own.wrapper."}) {
    const Network network = built(renamed(state, [&](const std::string& name) { return prefix + name; }));
    EXPECT_EQ(network.name, "retinaface-mobilenet0.25");
    EXPECT_EQ(network.note, "leading '" + prefix + "' removed from the names");
  }
  StateDict with_loss = renamed(state, [](const std::string& name) { return "model." + name; });
  ASSERT_TRUE(
      torch::append(with_loss, "loss.weight", ScalarType::float32, {1}, Bytes::owned(std::vector<std::byte>(4))));
  EXPECT_EQ(built(with_loss).note, "leading 'model.' removed from the names; left aside: 1 tensors without it");
}

TEST(Networks, SeveralWeightsInOneFileAreSaid) {
  StateDict state = zeros(retinaface_keys());
  state.note = "weights: 'net' (300 tensors); left aside: 'net_ema' (300)";
  state.others = {"net_ema"};
  EXPECT_EQ(built(state).note, state.note + "; '--weights net_ema' takes that instead");
}

TEST(Networks, WhatAFileHasOfAKnownNetworkIsSaid) {
  const StateDict state = zeros(retinaface_keys());
  const auto notes = [](const StateDict& s) {
    std::string all;
    const Diagnostics errors = refused(s);
    EXPECT_EQ(errors[0].help.find("ONNX"), std::string::npos);
    for (const std::string& note : errors[0].notes) all += note + "\n";
    return all;
  };
  const auto backbone = renamed(
      state, [](const std::string& name) { return name.starts_with("body.") ? name.substr(5) : std::string(); });
  EXPECT_NE(notes(backbone).find("are those of 'body' of retinaface-mobilenet0.25: this is its backbone alone"),
            std::string::npos)
      << notes(backbone);
  const auto named_backbone =
      renamed(state, [](const std::string& name) { return name.starts_with("body.") ? name : std::string(); });
  EXPECT_NE(notes(named_backbone).find("'body' is that of retinaface-mobilenet0.25; "), std::string::npos);
  EXPECT_NE(notes(named_backbone).find("a part of the network that was saved by itself"), std::string::npos);
  const auto other = renamed(state, [](const std::string& name) {
    return name.starts_with("body.") ? "body.layer1." + name.substr(5) : name;
  });
  if (const auto network = build_network(other); !network) {
    EXPECT_NE(render(network.error()).find("another backbone"), std::string::npos) << render(network.error());
  }
  KeySpecs wide = retinaface_keys();
  for (KeySpec& spec : wide) {
    for (std::int64_t& n : spec.shape) n *= n > 4 ? 2 : 1;
  }
  EXPECT_NE(render(refused(zeros(wide))).find("another width"), std::string::npos);
}

TEST(Networks, ProgramsVerifyForEveryTarget) {
  for (const Target target : {Target::ios15, Target::ios16, Target::ios17, Target::ios18}) {
    const Network star = built(zeros(star_keys({})), {.target = target});
    const Network faces = built(zeros(retinaface_keys()), {.height = 361, .width = 643, .target = target});
    for (const Network* network : {&star, &faces}) {
      const auto checked = verify(*network->program, {.types = VerifyOptions::Types::exact});
      EXPECT_TRUE(checked) << render(checked.error());
      EXPECT_EQ(network->program->main().opset, target);
      EXPECT_EQ(network->program->specification, specification_version(target));
      EXPECT_EQ(network->program->main().interface.inputs.at(0).name, "image");
      EXPECT_EQ(network->program->main().interface.outputs.size(), network->output_groups.at("all").size());
      for_each_node(network->program->main().body,
                    [](const Node& node) { EXPECT_TRUE(node.origin.starts_with("checkpoint: ")) << node.name; });
    }
  }
}

TEST(Networks, CanBeNamed) {
  const StateDict state = zeros(retinaface_keys());
  EXPECT_EQ(built(state, {.name = "retinaface-mobilenet0.25"}).name, "retinaface-mobilenet0.25");
  EXPECT_EQ(refused(state, {.name = "star"})[0].code, "E0605");
  const auto errors = refused(state, {.name = "stra"});
  EXPECT_EQ(errors[0].code, "E0611");
  EXPECT_EQ(exit_code(errors), 2);
  EXPECT_NE(errors[0].help.find("did you mean 'star'?"), std::string::npos);
}

}  // namespace
}  // namespace anemone::models
