// The forward pass of StackedHGNetV1, as its published description gives it: stem, hourglasses, heads, fusion, decoder.
#include "anemone/frontends/models/star.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "anemone/frontends/models/layers.h"
#include "anemone/frontends/models/network_parts.h"

namespace anemone::models {
namespace {

constexpr std::int64_t kDefaultSize = 256, kLargestSize = 4096;
constexpr double kMaskThreshold = 0.05;  // boundary channels show where the previous heat map is above this
constexpr double kSmallestSum = 1e-6;    // divisor of the decoder for an empty map

ConstantPtr map_constant(std::int64_t channels, std::int64_t n, std::span<const float> values) {
  return make_constant(DType::fp32, {1, channels, n, n}, values);
}

/// Planes [row, column, radius] of n×n: coordinates run from -1 to 1, the radius is divided by its maximum. Evaluated
/// in float32 in the order of the original, so that the constants are the same bits.
std::vector<float> coordinate_planes(std::int64_t n) {
  const auto size = static_cast<std::size_t>(n);
  std::vector<float> line(size), planes(3 * size * size);
  for (std::size_t i = 0; i < size; ++i) {
    const float fraction = static_cast<float>(i) / static_cast<float>(n - 1);
    const float doubled = fraction * 2.0f;
    line[i] = doubled - 1.0f;
  }
  float largest = 0;
  for (std::size_t i = 0; i < size; ++i) {
    for (std::size_t j = 0; j < size; ++j) {
      const float rows = line[i] * line[i];  // separate statements: no fused multiply-add
      const float columns = line[j] * line[j];
      const float radius = std::sqrt(rows + columns);
      planes[i * size + j] = line[i];
      planes[(size + i) * size + j] = line[j];
      planes[(2 * size + i) * size + j] = radius;
      largest = std::max(largest, radius);
    }
  }
  for (std::size_t at = 2 * size * size; at < planes.size(); ++at) planes[at] /= largest;
  return planes;
}

class StarGraph {
 public:
  StarGraph(Block& block, const formats::StateDict& state, const StarShape& shape, std::int64_t size)
      : net_(block, state), shape_(shape), size_(size), map_(size / 4) {}

  /// Leaves the named values in `named`: the outputs.
  Result<std::map<std::string, Value*>> build(Value* image);

 private:
  struct Coordinates {
    Value* planes;               ///< [1,3,n,n]
    Value *row, *column, *zero;  ///< [1,1,n,n]; null where no boundary channels are wanted
  };
  struct Heads {
    Value *heat, *point, *edge;
  };
  Coordinates coordinates(std::int64_t n, bool boundary);
  Value* coordinate_concat(const std::string& path, Value* x, const Coordinates& grid, Value* previous_heat);
  Value* res_block(const std::string& path, Value* x, bool project, std::string_view name = {});
  Value* hourglass(const std::string& path, Value* x, std::int64_t depth, std::string_view name = {});
  Value* stem(Value* image);
  Heads heads(std::int64_t stack, Value* features);
  Value* merge(std::int64_t stack, Value* x, Value* features, const Heads& heads);
  Value* decode(std::int64_t stack, Value* fusion, std::string_view name);

  Layers net_;
  StarShape shape_;
  std::int64_t size_, map_;  // of the input, of the feature maps
  Value *decoder_grid_ = nullptr, *decoder_floor_ = nullptr;
};

StarGraph::Coordinates StarGraph::coordinates(std::int64_t n, bool boundary) {
  const std::vector<float> planes = coordinate_planes(n);
  const std::span<const float> all(planes);
  const auto plane = static_cast<std::size_t>(n * n);
  Builder& builder = net_.at("addcoords");
  Coordinates out{};
  out.planes = builder.constant(map_constant(3, n, all), fmt::format("coordinates_{}", n));
  if (boundary) {
    out.row = builder.constant(map_constant(1, n, all.subspan(0, plane)), fmt::format("row_{}", n));
    out.column = builder.constant(map_constant(1, n, all.subspan(plane, plane)), fmt::format("column_{}", n));
    // As large as the coordinates: engines are known to take select() without broadcasting.
    out.zero = builder.constant(map_constant(1, n, std::vector<float>(plane)), fmt::format("zero_{}", n));
  }
  return out;
}

Value* StarGraph::coordinate_concat(const std::string& path, Value* x, const Coordinates& grid, Value* previous_heat) {
  std::vector<Value*> parts{x, grid.planes};
  if (previous_heat) {
    // The original clamps to 0..1 first, which does not change what is above 0.05.
    Value* boundary = net_.slice(path, previous_heat, {0, shape_.points - 1, 0, 0}, {1, shape_.points, map_, map_},
                                 path + ".boundary");
    Value* mask = net_.at(path).add("greater", {{"x", boundary}, {"y", make_scalar(DType::fp32, kMaskThreshold)}},
                                    path + ".mask");
    for (Value* line : {grid.row, grid.column}) {
      parts.push_back(net_.at(path).add("select", {{"cond", mask}, {"a", line}, {"b", grid.zero}},
                                        path + (line == grid.row ? ".masked_row" : ".masked_column")));
    }
  }
  return net_.concat(path, std::move(parts), 1);
}

Value* StarGraph::res_block(const std::string& path, Value* x, bool project, std::string_view name) {
  Value* y = net_.relu(path + ".relu", net_.batch_norm(path + ".bn1", x));
  y = net_.conv(path + ".conv1.conv", y);
  y = net_.relu(path + ".relu", net_.batch_norm(path + ".bn2", y));
  y = net_.conv(path + ".conv2.conv", y, {.padding = 1});
  y = net_.relu(path + ".relu", net_.batch_norm(path + ".bn3", y));
  y = net_.conv(path + ".conv3.conv", y);
  return net_.sum(path, y, project ? net_.conv(path + ".skip_layer.conv", x) : x, name);
}

Value* StarGraph::hourglass(const std::string& path, Value* x, std::int64_t depth, std::string_view name) {
  Value* up = res_block(path + ".up1", x, false);
  Value* low = res_block(path + ".low1", net_.max_pool_2x2(path + ".pool1", x), false);
  low = depth > 1 ? hourglass(path + ".low2", low, depth - 1) : res_block(path + ".low2", low, false);
  low = res_block(path + ".low3", low, false);
  return net_.sum(path, up, net_.upsample_2x(path + ".up2", low), name);
}

Value* StarGraph::stem(Value* image) {
  Value* x = coordinate_concat("pre.0.addcoords", image, coordinates(size_, false), nullptr);
  x = net_.conv("pre.0.conv", x, {.stride = 2, .padding = 3});
  x = net_.relu("pre.0.relu", net_.batch_norm("pre.0.bn", x));
  x = res_block("pre.1", x, true);
  x = res_block("pre.3", net_.max_pool_2x2("pre.2", x), false);
  return res_block("pre.4", x, true, "pre");
}

StarGraph::Heads StarGraph::heads(std::int64_t stack, Value* features) {
  Heads out{};
  Value* heat = net_.conv(fmt::format("out_heatmaps.{}.conv", stack), features);
  heat = net_.instance_norm("heatmap_act", heat);
  out.heat = net_.relu("heatmap_act", heat, fmt::format("heatmaps{}", stack));
  out.point = net_.sigmoid("pointmap_act", net_.conv(fmt::format("out_pointmaps.{}.conv", stack), features),
                           fmt::format("pointmap{}", stack));
  out.edge = net_.sigmoid("edgemap_act", net_.conv(fmt::format("out_edgemaps.{}.conv", stack), features),
                          fmt::format("edgemap{}", stack));
  return out;
}

Value* StarGraph::merge(std::int64_t stack, Value* x, Value* features, const Heads& heads) {
  const std::pair<const char*, Value*> sources[] = {{"merge_features", features},
                                                    {"merge_heatmaps", heads.heat},
                                                    {"merge_pointmaps", heads.point},
                                                    {"merge_edgemaps", heads.edge}};
  for (const auto& [list, source] : sources) {
    const std::string path = fmt::format("{}.{}", list, stack);
    x = net_.sum(path, x, net_.conv(path + ".conv", source), path + ".sum");
  }
  return x;
}

/// Centroid of each map: x = Σ g(column)·H / ΣH and y = Σ g(row)·H / ΣH with g from -1 to 1, as one matrix product,
/// whose sums engines accumulate widely (their reductions do not promise that). The grid is scaled by (n-1)/2^k, which
/// cancels in the quotient and makes every number in it exact in half precision.
Value* StarGraph::decode(std::int64_t stack, Value* fusion, std::string_view name) {
  const std::int64_t cells = map_ * map_;
  const double unit = static_cast<double>(std::bit_ceil(static_cast<std::uint64_t>(map_)));
  const double one = static_cast<double>(map_ - 1) / unit;
  if (!decoder_grid_) {
    std::vector<double> grid;
    grid.reserve(static_cast<std::size_t>(3 * cells));
    const auto line = [&](std::int64_t i) { return static_cast<double>(2 * i - (map_ - 1)) / unit; };
    for (std::int64_t row = 0; row < map_; ++row) {
      for (std::int64_t column = 0; column < map_; ++column) grid.insert(grid.end(), {line(column), line(row), one});
    }
    decoder_grid_ = net_.at("decoder").constant(make_constant(DType::fp32, {1, cells, 3}, grid), "decoder_grid");
    decoder_floor_ = net_.at("decoder").scalar(DType::fp32, kSmallestSum * one, "decoder_floor");
  }
  const std::int64_t points = shape_.points;
  const std::string path = fmt::format("decoder.{}", stack);
  Value* flat = net_.at(path).add("reshape", {{"x", fusion}, {"shape", {1, points, cells}}}, path + ".flat");
  Value* sums = net_.at(path).add(
      "matmul", {{"x", flat}, {"y", decoder_grid_}, {"transpose_x", false}, {"transpose_y", false}}, path + ".sums");
  Value* moments = net_.slice(path, sums, {0, 0, 0}, {1, points, 2}, path + ".moments");
  Value* mass = net_.slice(path, sums, {0, 0, 2}, {1, points, 3}, path + ".mass");
  mass = net_.at(path).add("maximum", {{"x", mass}, {"y", decoder_floor_}}, path + ".mass_floor");
  return net_.at(path).add("real_div", {{"x", moments}, {"y", mass}}, name);
}

Result<std::map<std::string, Value*>> StarGraph::build(Value* image) {
  std::map<std::string, Value*> named;
  const auto name_of = [](std::string_view kind, std::int64_t stack) { return fmt::format("{}{}", kind, stack); };
  Value* x = stem(image);
  const Coordinates grid = coordinates(map_, shape_.stacks > 1);
  Value* previous_heat = nullptr;
  for (std::int64_t stack = 0; stack < shape_.stacks; ++stack) {
    const bool is_last = stack + 1 == shape_.stacks;
    const std::string path = name_of("hgs.", stack), features_path = name_of("features.", stack);
    Value* y = coordinate_concat(path + ".coordconv.addcoords", x, grid, previous_heat);
    y = net_.conv(path + ".coordconv.conv", y);
    y = hourglass(path, y, shape_.depth, name_of("hgs", stack));
    Value* features = net_.conv(features_path + ".1.conv", res_block(features_path + ".0", y, false));
    features = net_.relu(features_path + ".1.relu", net_.batch_norm(features_path + ".1.bn", features),
                         name_of("features", stack));
    const Heads maps = heads(stack, features);
    Value* edges = net_.conv("e2h_transform", maps.edge);
    Value* fusion = net_.product("fusion", edges, maps.point);
    fusion = net_.product("fusion", fusion, maps.heat, name_of("fusion", stack));
    const std::string landmarks = is_last ? "landmarks" : name_of("landmarks", stack);
    named[landmarks] = decode(stack, fusion, landmarks);
    named[name_of("pointmap", stack)] = maps.point;
    named[name_of("edgemap", stack)] = maps.edge;
    named[name_of("fusion", stack)] = fusion;
    if (!is_last) x = merge(stack, x, features, maps);
    previous_heat = maps.heat;
  }
  TRY_VOID(net_.finish());
  return named;
}

/// In the order of the network's own results: per stack landmarks, points, edges; then the fused maps; the last stack's
/// landmarks are the final ones and come last.
std::vector<std::string> output_names(std::int64_t stacks) {
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < stacks; ++i) {
    if (i + 1 < stacks) names.push_back(fmt::format("landmarks{}", i));
    names.push_back(fmt::format("pointmap{}", i));
    names.push_back(fmt::format("edgemap{}", i));
  }
  for (std::int64_t i = 0; i < stacks; ++i) names.push_back(fmt::format("fusion{}", i));
  names.push_back("landmarks");
  return names;
}

std::string star_class(std::string_view path, const std::vector<std::string>& members) {
  const auto has = [&](std::string_view name) {
    return std::find(members.begin(), members.end(), name) != members.end();
  };
  const std::string_view leaf = path.substr(path.rfind('.') + 1);
  if (path == "e2h_transform") return "E2HTransform";
  if (has("running_mean")) return "BatchNorm2d";
  if (has("weight")) return "Conv2d";
  if (has("skip_layer")) return "ResBlock";
  if (has("up1")) return "Hourglass";
  if (path == "pre.0" || leaf == "coordconv") return "CoordConvTh";
  if (has("conv")) return "ConvBlock";
  if (path == "pre" || path.starts_with("features.")) return "Sequential";
  return "ModuleList";
}

Result<std::int64_t> input_size(const NetworkOptions& options, const StarShape& shape) {
  const std::int64_t height = options.height.value_or(options.width.value_or(kDefaultSize));
  const std::int64_t width = options.width.value_or(height), step = shape.size_step();
  if (height != width || height < step || height % step != 0 || height > kLargestSize) {
    return Diagnostic{
        .blame = Blame::usage,
        .code = ErrorCode::size_not_taken,
        .message = fmt::format("star cannot take an input of {}x{} (height x width): it must be square, a "
                               "multiple of {} and at most {}",
                               height, width, step, kLargestSize),
        .help = fmt::format("it was trained at {}x{}", kDefaultSize, kDefaultSize)};
  }
  return height;
}

}  // namespace

ModuleTree star_modules(const StarShape& shape) {
  const KeySpecs specs = star_keys(shape);
  std::vector<KeylessModule> keyless{
      {"pre.0.relu", "ReLU"}, {"pre.0.addcoords", "AddCoordsTh"}, {"pre.2", "MaxPool2d"}};
  for (const KeySpec& spec : specs) {
    const auto module_with = [&](std::string_view suffix) {  // one key that each module of a kind has once
      return spec.key.ends_with(suffix) ? spec.key.substr(0, spec.key.size() - suffix.size()) : std::string();
    };
    if (const std::string block = module_with(".skip_layer.conv.weight"); !block.empty()) {
      keyless.push_back({block + ".relu", "ReLU"});
    }
    if (const std::string hourglass = module_with(".up1.bn1.weight"); !hourglass.empty()) {
      keyless.push_back({hourglass + ".pool1", "MaxPool2d"});
      keyless.push_back({hourglass + ".up2", "Upsample"});
    }
    if (const std::string list = module_with(".1.conv.weight"); list.starts_with("features.")) {
      keyless.push_back({list + ".1.relu", "ReLU"});
    }
    if (const std::string stack = module_with(".coordconv.conv.weight"); !stack.empty()) {
      keyless.push_back({stack + ".coordconv.addcoords", "AddCoordsTh"});
    }
  }
  for (const char* act : {"heatmap_act", "pointmap_act", "edgemap_act"}) keyless.push_back({act, "Activation"});
  return module_tree(specs, keyless, "StackedHGNetV1", star_class);
}

Preprocessing star_preprocessing() { return {Color::bgr, 2.0 / 255.0, {-1, -1, -1}}; }

Result<Network> build_star(const formats::StateDict& state, const NetworkOptions& options) {
  const StarShape shape = star_shape(state);
  Network network;
  network.name = kStarName;
  TRY(network.keys, check_keys(state, star_keys(shape), kStarName));
  TRY(const std::int64_t size, input_size(options, shape));
  network.height = network.width = size;
  network.size_step = shape.size_step();
  network.square_only = true;
  network.constants_depend_on_size = true;
  network.preprocessing = star_preprocessing();
  Landmarks& landmarks = network.landmarks.emplace();
  landmarks.title = "STAR face landmarks";
  landmarks.output = "landmarks";
  landmarks.points = shape.points;
  landmarks.edges = shape.edges;
  landmarks.coordinates = Landmarks::Coordinates::centred;
  landmarks.eye_corners = outer_eye_corners(shape.points);
  network.output_groups["all"] = output_names(shape.stacks);
  network.output_groups["final"] = {"landmarks"};
  network.default_group = "final";
  for (std::int64_t i = 0; i < shape.stacks; ++i) {
    network.aliases[fmt::format("pointmaps{}", i)] = fmt::format("pointmap{}", i);
    network.aliases[fmt::format("edgemaps{}", i)] = fmt::format("edgemap{}", i);
  }
  network.aliases[fmt::format("landmarks{}", shape.stacks - 1)] = "landmarks";

  network.modules = star_modules(shape);
  Value* image = begin_program(network, options.target);
  StarGraph graph(network.program->main().body, state, shape, size);
  TRY(const auto values, graph.build(image));
  finish_program(network, values);
  return network;
}

}  // namespace anemone::models
