// The key table of STAR, written as its modules are nested.
#include "anemone/frontends/models/star_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <initializer_list>

namespace anemone::models {
namespace {

constexpr std::int64_t kMostStacks = 16, kMostDepth = 8, kMostChannels = 4096;

void add_res_block(KeySpecs& specs, const std::string& path, std::int64_t in, std::int64_t out) {
  const std::int64_t mid = out / 2;
  add_batch_norm(specs, path + ".bn1", in);
  add_conv(specs, path + ".conv1.conv", {mid, in, 1, 1}, true);
  add_batch_norm(specs, path + ".bn2", mid);
  add_conv(specs, path + ".conv2.conv", {mid, mid, 3, 3}, true);
  add_batch_norm(specs, path + ".bn3", mid);
  add_conv(specs, path + ".conv3.conv", {out, mid, 1, 1}, true);
  // Always in the file; it runs only where the number of channels changes.
  add_conv(specs, path + ".skip_layer.conv", {out, in, 1, 1}, true, in == out ? KeyRole::dead : KeyRole::parameter);
}

void add_hourglass(KeySpecs& specs, const std::string& path, std::int64_t depth, std::int64_t channels) {
  add_res_block(specs, path + ".up1", channels, channels);
  add_res_block(specs, path + ".low1", channels, channels);
  if (depth > 1) {
    add_hourglass(specs, path + ".low2", depth - 1, channels);
  } else {
    add_res_block(specs, path + ".low2", channels, channels);
  }
  add_res_block(specs, path + ".low3", channels, channels);
}

void add_heads(KeySpecs& specs, std::string_view list, std::int64_t count, std::int64_t out, std::int64_t in) {
  for (std::int64_t i = 0; i < count; ++i) add_conv(specs, fmt::format("{}.{}.conv", list, i), {out, in, 1, 1}, true);
}

/// An extent of a rank-4 tensor, or the fallback.
std::int64_t extent(const formats::StateDict& state, std::string_view key, std::size_t axis, std::int64_t fallback) {
  const formats::StoredTensor* tensor = state.find(key);
  if (!tensor || tensor->shape.size() != 4 || tensor->shape[axis] < 1) return fallback;
  return tensor->shape[axis];
}

struct Edge {
  std::int64_t first, last;  // inclusive
};

}  // namespace

KeySpecs star_keys(const StarShape& shape) {
  KeySpecs specs;
  const std::int64_t c = shape.channels, stem = c / 4, points = shape.points, edges = shape.edges;
  add_conv(specs, "pre.0.conv", {stem, 6, 7, 7}, true);
  add_batch_norm(specs, "pre.0.bn", stem);
  add_res_block(specs, "pre.1", stem, c / 2);
  add_res_block(specs, "pre.3", c / 2, c / 2);
  add_res_block(specs, "pre.4", c / 2, c);
  for (std::int64_t i = 0; i < shape.stacks; ++i) {
    const std::string path = fmt::format("hgs.{}", i);
    add_conv(specs, path + ".coordconv.conv", {c, c + (i > 0 ? 5 : 3), 1, 1}, true);
    add_hourglass(specs, path, shape.depth, c);
  }
  for (std::int64_t i = 0; i < shape.stacks; ++i) {
    add_res_block(specs, fmt::format("features.{}.0", i), c, c);
    add_conv(specs, fmt::format("features.{}.1.conv", i), {c, c, 1, 1}, true);
    add_batch_norm(specs, fmt::format("features.{}.1.bn", i), c);
  }
  add_heads(specs, "out_heatmaps", shape.stacks, points, c);
  specs.push_back({"e2h_transform.weight", {points, edges, 1, 1}, KeyRole::buffer});
  specs.push_back({"e2h_transform.bias", {points}, KeyRole::buffer});
  add_heads(specs, "out_edgemaps", shape.stacks, edges, c);
  add_heads(specs, "out_pointmaps", shape.stacks, points, c);
  add_heads(specs, "merge_edgemaps", shape.stacks - 1, c, edges);
  add_heads(specs, "merge_pointmaps", shape.stacks - 1, c, points);
  add_heads(specs, "merge_features", shape.stacks - 1, c, c);
  add_heads(specs, "merge_heatmaps", shape.stacks - 1, c, points);
  return specs;
}

StarShape star_shape(const formats::StateDict& state) {
  StarShape shape;
  const std::string heads = "out_heatmaps.0.conv.weight", edge_heads = "out_edgemaps.0.conv.weight";
  const std::string matrix = "e2h_transform.weight";
  shape.points = extent(state, heads, 0, extent(state, matrix, 0, shape.points));
  shape.edges = extent(state, edge_heads, 0, extent(state, matrix, 1, shape.edges));
  const std::int64_t channels = extent(state, heads, 1, extent(state, edge_heads, 1, shape.channels));
  if (channels % 4 == 0 && channels <= kMostChannels) shape.channels = channels;

  std::int64_t stacks = 0;
  for (const formats::StoredTensor& tensor : state.tensors) {
    constexpr std::string_view kPrefix = "hgs.";
    if (!tensor.path.starts_with(kPrefix)) continue;
    std::int64_t index = 0;
    const char* end = tensor.path.data() + tensor.path.size();
    const auto [stop, error] = std::from_chars(tensor.path.data() + kPrefix.size(), end, index);
    if (error == std::errc{} && stop != end && *stop == '.' && index >= 0 && index < kMostStacks) {
      stacks = std::max(stacks, index + 1);
    }
  }
  if (stacks > 0) shape.stacks = stacks;

  std::int64_t depth = 0;
  for (std::string path = "hgs.0"; depth < kMostDepth && state.find(path + ".up1.bn1.weight"); path += ".low2") ++depth;
  if (depth > 0) shape.depth = depth;
  return shape;
}

std::optional<std::int64_t> star_edges(std::int64_t points) {
  if (points == 98 || points == 68) return 9;
  if (points == 29) return 7;
  return std::nullopt;
}

std::optional<std::vector<float>> star_edge_matrix(std::int64_t points) {
  const auto edges = star_edges(points);
  if (!edges) return std::nullopt;
  std::vector<float> matrix(static_cast<std::size_t>(points * *edges), 0.0f);
  const auto mark = [&](std::int64_t point, std::int64_t edge) {
    matrix[static_cast<std::size_t>(point * *edges + edge)] = 1.0f;
  };
  // Contour, brows, nose line, nose, eyes, outer and inner lip: runs of consecutive points.
  static constexpr std::array<Edge, 9> kWflw{
      {{0, 32}, {33, 41}, {42, 50}, {51, 54}, {55, 59}, {60, 67}, {68, 75}, {76, 87}, {88, 95}}};
  static constexpr std::array<Edge, 9> k300w{
      {{0, 16}, {17, 21}, {22, 26}, {27, 30}, {31, 35}, {36, 41}, {42, 47}, {48, 59}, {60, 67}}};
  static constexpr std::array<std::array<std::int64_t, 4>, 7> kCofw{{{0, 4, 2, 5},
                                                                     {1, 6, 3, 7},
                                                                     {8, 12, 10, 13},
                                                                     {9, 14, 11, 15},
                                                                     {18, 20, 19, 21},
                                                                     {22, 26, 23, 27},
                                                                     {22, 24, 23, 25}}};
  for (std::int64_t edge = 0; edge < *edges; ++edge) {
    if (points == 29) {
      for (std::int64_t point : kCofw[static_cast<std::size_t>(edge)]) mark(point, edge);
    } else {
      const Edge& run = (points == 98 ? kWflw : k300w)[static_cast<std::size_t>(edge)];
      for (std::int64_t point = run.first; point <= run.last; ++point) mark(point, edge);
    }
  }
  return matrix;
}

}  // namespace anemone::models
