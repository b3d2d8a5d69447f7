// RetinaFace mobilenet0.25: backbone, feature pyramid, context modules (SSH) and heads, by the names of its checkpoint.
#include "anemone/frontends/models/retinaface.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "anemone/frontends/models/layers.h"
#include "anemone/frontends/models/network_parts.h"

namespace anemone::models {
namespace {

constexpr std::int64_t kDefaultSize = 640, kLargestSize = 16384;
constexpr double kSlope = 0.1;         // of every leaky ReLU
constexpr std::int64_t kPyramid = 64;  // channels of the feature pyramid
constexpr std::int64_t kAnchors = 2;   // prior boxes a cell

/// A depthwise separable block of the backbone.
struct Separable {
  const char* path;
  std::int64_t in, out, stride;
};
constexpr std::array<Separable, 13> kBackbone{{{"body.stage1.1", 8, 16, 1},
                                               {"body.stage1.2", 16, 32, 2},
                                               {"body.stage1.3", 32, 32, 1},
                                               {"body.stage1.4", 32, 64, 2},
                                               {"body.stage1.5", 64, 64, 1},
                                               {"body.stage2.0", 64, 128, 2},
                                               {"body.stage2.1", 128, 128, 1},
                                               {"body.stage2.2", 128, 128, 1},
                                               {"body.stage2.3", 128, 128, 1},
                                               {"body.stage2.4", 128, 128, 1},
                                               {"body.stage2.5", 128, 128, 1},
                                               {"body.stage3.0", 128, 256, 2},
                                               {"body.stage3.1", 256, 256, 1}}};
constexpr std::array<std::int64_t, 3> kStageChannels{64, 128, 256};

/// The convolutions of a context module; `conv7x7_3` is spelt differently in the checkpoint.
struct Context {
  const char* name;
  std::int64_t in, out;
  bool activated;
};
constexpr std::array<Context, 5> kContext{{{"conv3X3", kPyramid, 32, false},
                                           {"conv5X5_1", kPyramid, 16, true},
                                           {"conv5X5_2", 16, 16, false},
                                           {"conv7X7_2", 16, 16, true},
                                           {"conv7x7_3", 16, 16, false}}};

struct Head {
  const char* list;
  const char* output;
  std::int64_t width;  // numbers a prior box
};
constexpr std::array<Head, 3> kHeads{
    {{"ClassHead", "conf", 2}, {"BboxHead", "loc", 4}, {"LandmarkHead", "landms", 10}}};

void add_conv_bn(KeySpecs& specs, const std::string& path, int child, Dims weight) {
  const std::int64_t channels = weight[0];
  add_conv(specs, fmt::format("{}.{}", path, child), std::move(weight), false);
  add_batch_norm(specs, fmt::format("{}.{}", path, child + 1), channels);
}

class RetinaFaceGraph {
 public:
  RetinaFaceGraph(Block& block, const formats::StateDict& state) : net_(block, state) {}
  /// The three outputs by name; `resized` tells whether a map was brought to a size that is not its double.
  Result<std::map<std::string, Value*>> build(Value* image, bool& resized);

 private:
  /// conv, batch norm and, if activated, leaky ReLU: children `first`, first+1, first+2 of `path`.
  Value* block(const std::string& path, int first, Value* x, const ConvShape& how, bool activated = true);
  Value* enlarge(const std::string& path, Value* x, const Value* like);
  Value* context(const std::string& path, Value* x);
  Value* head(const Head& head, const std::array<Value*, 3>& maps);

  Layers net_;
  bool resized_ = false;
};

Value* RetinaFaceGraph::block(const std::string& path, int first, Value* x, const ConvShape& how, bool activated) {
  Value* y = net_.conv(fmt::format("{}.{}", path, first), x, how);
  y = net_.batch_norm(fmt::format("{}.{}", path, first + 1), y);
  return activated ? net_.leaky_relu(fmt::format("{}.{}", path, first + 2), y, kSlope) : y;
}

/// Nearest neighbour to the exact size of another map.
Value* RetinaFaceGraph::enlarge(const std::string& path, Value* x, const Value* like) {
  if (x->type.rank() != 4 || like->type.rank() != 4) return net_.upsample_2x(path, x);  // after an error
  const std::int64_t height = like->type.dims[2], width = like->type.dims[3];
  if (height == 2 * x->type.dims[2] && width == 2 * x->type.dims[3]) return net_.upsample_2x(path, x);
  resized_ = true;
  return net_.at(path).add("resize_nearest_neighbor",
                           {{"x", x}, {"target_size_height", height}, {"target_size_width", width}}, path);
}

Value* RetinaFaceGraph::context(const std::string& path, Value* x) {
  const auto branch = [&](std::size_t index, Value* from) {
    return block(fmt::format("{}.{}", path, kContext[index].name), 0, from, {.padding = 1, .bias = false},
                 kContext[index].activated);
  };
  Value* narrow = branch(0, x);
  Value* shared = branch(1, x);
  Value* middle = branch(2, shared);
  Value* wide = branch(4, branch(3, shared));
  return net_.relu(path, net_.concat(path, {narrow, middle, wide}, 1, path + ".concat"), path);
}

Value* RetinaFaceGraph::head(const Head& head, const std::array<Value*, 3>& maps) {
  const std::int64_t batch = maps[0]->type.rank() == 4 ? maps[0]->type.dims[0] : 1;  // else after an error
  std::vector<Value*> levels;
  for (std::size_t level = 0; level < maps.size(); ++level) {
    const std::string path = fmt::format("{}.{}", head.list, level);
    Value* y = net_.conv(path + ".conv1x1", maps[level]);
    y = net_.at(path).add("transpose", {{"x", y}, {"perm", {0, 2, 3, 1}}}, path + ".nhwc");
    levels.push_back(net_.at(path).add("reshape", {{"x", y}, {"shape", {batch, -1, head.width}}}, path + ".rows"));
  }
  const std::string path = head.list;
  const bool scores = head.output == std::string_view("conf");
  Value* rows = net_.concat(path, std::move(levels), 1, scores ? path + ".logits" : head.output);
  return scores ? net_.at(path).add("softmax", {{"x", rows}, {"axis", 2}}, head.output) : rows;
}

Result<std::map<std::string, Value*>> RetinaFaceGraph::build(Value* image, bool& resized) {
  Value* x = block("body.stage1.0", 0, image, {.stride = 2, .padding = 1, .bias = false});
  std::array<Value*, 3> stages{};
  for (const Separable& unit : kBackbone) {
    const std::string path = unit.path;
    x = block(path, 0, x, {.stride = unit.stride, .padding = 1, .groups = unit.in, .bias = false});
    x = block(path, 3, x, {.bias = false});
    stages[static_cast<std::size_t>(path[std::string_view("body.stage").size()] - '1')] = x;
  }
  std::array<Value*, 3> maps{};
  for (std::size_t i = 0; i < 3; ++i)
    maps[i] = block(fmt::format("fpn.output{}", i + 1), 0, stages[i], {.bias = false});
  for (std::size_t i : {1, 0}) {
    const std::string path = fmt::format("fpn.merge{}", i + 1);
    Value* sum = net_.sum("fpn", maps[i], enlarge("fpn.up", maps[i + 1], maps[i]), path + ".sum");
    maps[i] = block(path, 0, sum, {.padding = 1, .bias = false});
  }
  for (std::size_t i = 0; i < 3; ++i) maps[i] = context(fmt::format("ssh{}", i + 1), maps[i]);
  std::map<std::string, Value*> outputs;
  for (const Head& which : kHeads) outputs[which.output] = head(which, maps);
  TRY_VOID(net_.finish());
  resized = resized_;
  return outputs;
}

std::string retinaface_class(std::string_view path, const std::vector<std::string>& members) {
  const auto has = [&](std::string_view name) {
    return std::find(members.begin(), members.end(), name) != members.end();
  };
  if (has("running_mean")) return "BatchNorm2d";
  if (has("weight")) return "Conv2d";
  if (path == "body") return "IntermediateLayerGetter";
  if (path == "fpn") return "FPN";
  if (has("conv3X3")) return "SSH";
  for (const Head& head : kHeads) {
    if (path == head.list) return "ModuleList";
    if (has("conv1x1") && path.starts_with(head.list)) return head.list;
  }
  return "Sequential";
}

Result<std::pair<std::int64_t, std::int64_t>> input_size(const NetworkOptions& options) {
  const std::int64_t height = options.height.value_or(options.width.value_or(kDefaultSize));
  const std::int64_t width = options.width.value_or(height);
  if (height < 1 || width < 1 || height > kLargestSize || width > kLargestSize) {
    return Diagnostic{.blame = Blame::usage,
                      .code = ErrorCode::size_not_taken,
                      .message = fmt::format("{} cannot take an input of {}x{} (height x width): sides go from 1 to {}",
                                             kRetinaFaceName, height, width, kLargestSize),
                      .help = fmt::format("{}x{} is usual", kDefaultSize, kDefaultSize)};
  }
  return std::pair{height, width};
}

}  // namespace

KeySpecs retinaface_keys() {
  KeySpecs specs;
  add_conv_bn(specs, "body.stage1.0", 0, {8, 3, 3, 3});
  for (const Separable& unit : kBackbone) {
    add_conv_bn(specs, unit.path, 0, {unit.in, 1, 3, 3});
    add_conv_bn(specs, unit.path, 3, {unit.out, unit.in, 1, 1});
  }
  for (std::size_t i = 0; i < 3; ++i) {
    add_conv_bn(specs, fmt::format("fpn.output{}", i + 1), 0, {kPyramid, kStageChannels[i], 1, 1});
  }
  for (int i : {1, 2}) add_conv_bn(specs, fmt::format("fpn.merge{}", i), 0, {kPyramid, kPyramid, 3, 3});
  for (int i : {1, 2, 3}) {
    for (const Context& conv : kContext) {
      add_conv_bn(specs, fmt::format("ssh{}.{}", i, conv.name), 0, {conv.out, conv.in, 3, 3});
    }
  }
  for (const Head& head : kHeads) {
    for (int level : {0, 1, 2}) {
      add_conv(specs, fmt::format("{}.{}.conv1x1", head.list, level), {kAnchors * head.width, kPyramid, 1, 1}, true);
    }
  }
  return specs;
}

ModuleTree retinaface_modules() {
  const KeySpecs specs = retinaface_keys();
  std::vector<KeylessModule> keyless;
  const auto add_activation = [&](const std::string& path, int child) {
    keyless.push_back({fmt::format("{}.{}", path, child), "LeakyReLU"});
  };
  add_activation("body.stage1.0", 2);
  for (const Separable& unit : kBackbone) {
    add_activation(unit.path, 2);
    add_activation(unit.path, 5);
  }
  for (int i : {1, 2, 3}) add_activation(fmt::format("fpn.output{}", i), 2);
  for (int i : {1, 2}) add_activation(fmt::format("fpn.merge{}", i), 2);
  for (int i : {1, 2, 3}) {
    for (const Context& conv : kContext) {
      if (conv.activated) add_activation(fmt::format("ssh{}.{}", i, conv.name), 2);
    }
  }
  return module_tree(specs, keyless, "RetinaFace", retinaface_class);
}

Preprocessing retinaface_preprocessing() { return {Color::bgr, 1.0, {-104, -117, -123}}; }

Result<Network> build_retinaface(const formats::StateDict& state, const NetworkOptions& options) {
  Network network;
  network.name = kRetinaFaceName;
  TRY(network.keys, check_keys(state, retinaface_keys(), kRetinaFaceName));
  TRY(const auto size, input_size(options));
  network.height = size.first;
  network.width = size.second;
  network.preprocessing = retinaface_preprocessing();
  network.output_groups["all"] = {"loc", "conf", "landms"};

  network.modules = retinaface_modules();
  Value* image = begin_program(network, options);
  RetinaFaceGraph graph(network.program->main().body, state);
  TRY(const auto values, graph.build(image, network.constants_depend_on_size));
  finish_program(network, values);
  return network;
}

}  // namespace anemone::models
