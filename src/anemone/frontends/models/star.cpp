// The forward pass of StackedHGNetV1, as its published description gives it: stem, hourglasses, heads, fusion, decoder.
#include "anemone/frontends/models/star.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "anemone/frontends/models/coordinates.h"
#include "anemone/frontends/models/layers.h"
#include "anemone/frontends/models/network_parts.h"

namespace anemone::models {
namespace {

constexpr std::int64_t kDefaultSize = 256, kLargestSize = 4096;
constexpr double kMaskThreshold = 0.05;  // boundary channels show where the previous heat map is above this
constexpr double kSmallestSum = 1e-6;    // divisor of the decoder for an empty map

class StarGraph {
 public:
  /// `largest_size`: of the sizes that share the graph, which then holds nothing of `size`; 0 when there are no others.
  StarGraph(Block& block, const formats::StateDict& state, const StarShape& shape, std::int64_t size,
            std::int64_t batch, std::int64_t largest_size)
      : net_(block, state), shape_(shape), size_(size), map_(size / 4), batch_(batch), largest_(largest_size) {}

  /// Leaves the named values in `named`: the outputs.
  Result<std::map<std::string, Value*>> build(Value* image);

 private:
  struct Heads {
    Value *heat, *point, *edge;
  };
  Value* map_cells(Value* image);
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
  std::int64_t batch_, largest_;
  Value* cells_ = nullptr;  // those of the feature maps, counted, where several sizes share the graph
  Value *decoder_grid_ = nullptr, *decoder_floor_ = nullptr;
};

Value* StarGraph::map_cells(Value* image) {
  const std::int64_t step = shape_.size_step();
  Value* cells = count_cells(net_, image, step, largest_ / step);
  std::int64_t left = step / 4;  // how many of them are to become of one, either way
  for (; left % 4 == 0; left /= 4) cells = split_cells(net_, cells, 4);
  return left == 1 ? cells : split_cells(net_, cells, left);
}

Value* StarGraph::coordinate_concat(const std::string& path, Value* x, const Coordinates& grid, Value* previous_heat) {
  std::vector<Value*> parts{x};
  parts.insert(parts.end(), grid.planes.begin(), grid.planes.end());
  if (previous_heat) {
    // The original clamps to 0..1 first, which does not change what is above 0.05.
    const std::string name = path + ".boundary";
    const std::int64_t last = shape_.points - 1;
    Value* boundary = cells_ ? net_.channels(path, previous_heat, last, last + 1, name)
                             : net_.slice(path, previous_heat, {0, last, 0, 0}, {batch_, last + 1, map_, map_}, name);
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
  const Coordinates grid = cells_ ? counted_coordinates(net_, split_cells(net_, cells_, 4), false)
                                  : known_coordinates(net_, batch_, size_, false);
  Value* x = coordinate_concat("pre.0.addcoords", image, grid, nullptr);
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
/// cancels in the quotient and makes every number in it exact in half precision; several sizes share that of the largest.
Value* StarGraph::decode(std::int64_t stack, Value* fusion, std::string_view name) {
  const std::int64_t cells = map_ * map_, widest = cells_ ? largest_ / 4 : map_;
  const double unit = static_cast<double>(std::bit_ceil(static_cast<std::uint64_t>(widest)));
  const double one = static_cast<double>(widest - 1) / unit;
  if (!decoder_grid_ && cells_) {
    decoder_grid_ = counted_grid(net_, cells_, unit);
    decoder_floor_ = net_.at("decoder").scalar(DType::fp32, kSmallestSum * one, "decoder_floor");
  } else if (!decoder_grid_) {
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
  Value* flat =
      net_.at(path).add("reshape", {{"x", fusion}, {"shape", {batch_, points, cells_ ? -1 : cells}}}, path + ".flat");
  Value* sums = net_.at(path).add(
      "matmul", {{"x", flat}, {"y", decoder_grid_}, {"transpose_x", false}, {"transpose_y", cells_ != nullptr}},
      path + ".sums");
  Value* moments = net_.slice(path, sums, {0, 0, 0}, {batch_, points, 2}, path + ".moments");
  Value* mass = net_.slice(path, sums, {0, 0, 2}, {batch_, points, 3}, path + ".mass");
  mass = net_.at(path).add("maximum", {{"x", mass}, {"y", decoder_floor_}}, path + ".mass_floor");
  return net_.at(path).add("real_div", {{"x", moments}, {"y", mass}}, name);
}

Result<std::map<std::string, Value*>> StarGraph::build(Value* image) {
  std::map<std::string, Value*> named;
  const auto name_of = [](std::string_view kind, std::int64_t stack) { return fmt::format("{}{}", kind, stack); };
  if (largest_ > 0) cells_ = map_cells(image);
  Value* x = stem(image);
  const bool boundary = shape_.stacks > 1;
  const Coordinates grid =
      cells_ ? counted_coordinates(net_, cells_, boundary) : known_coordinates(net_, batch_, map_, boundary);
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
  network.constants_depend_on_size = options.largest_size == 0;
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
  Value* image = begin_program(network, options);
  StarGraph graph(network.program->main().body, state, shape, size, network.batch, options.largest_size);
  TRY(const auto values, graph.build(image));
  finish_program(network, values);
  return network;
}

}  // namespace anemone::models
