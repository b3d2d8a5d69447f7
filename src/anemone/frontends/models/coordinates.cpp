// Coordinates as constants in the order of the original; counted ones by a convolution and transposed ones, whose sums
// are integers.
#include "anemone/frontends/models/coordinates.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <span>

namespace anemone::models {
namespace {

constexpr std::string_view kPath = "addcoords";
enum Cell : std::int64_t { row, column, row_again, others, one, kChannels };  // channels of counted cells

/// The same for every sample: concat and select take it as it is.
ConstantPtr map_constant(std::int64_t batch, std::int64_t channels, std::int64_t n, std::span<const float> values) {
  std::vector<float> all;
  all.reserve(static_cast<std::size_t>(batch) * values.size());
  for (std::int64_t i = 0; i < batch; ++i) all.insert(all.end(), values.begin(), values.end());
  return make_constant(DType::fp32, {batch, channels, n, n}, all);
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

/// Weights [to, from, size, size] of a convolution ([from, to, size, size] of a transposed one), set one by one.
class Taps {
 public:
  Taps(std::int64_t first, std::int64_t second, std::int64_t size)
      : dims_{first, second, size, size}, values_(static_cast<std::size_t>(first * second * size * size)) {}
  void set(std::int64_t first, std::int64_t second, std::int64_t y, std::int64_t x, std::int64_t value) {
    const std::int64_t at = ((first * dims_[1] + second) * dims_[2] + y) * dims_[3] + x;
    values_[static_cast<std::size_t>(at)] = static_cast<float>(value);
  }
  ConstantPtr constant() const { return make_constant(DType::fp32, dims_, std::span<const float>(values_)); }

 private:
  Dims dims_;
  std::vector<float> values_;
};

}  // namespace

Coordinates known_coordinates(Layers& net, std::int64_t batch, std::int64_t n, bool single_planes) {
  const std::vector<float> planes = coordinate_planes(n);
  const std::span<const float> all(planes);
  const auto plane = static_cast<std::size_t>(n * n);
  Builder& builder = net.at(kPath);
  Coordinates out;
  out.planes = {builder.constant(map_constant(batch, 3, n, all), fmt::format("coordinates_{}", n))};
  if (single_planes) {
    out.row = builder.constant(map_constant(batch, 1, n, all.subspan(0, plane)), fmt::format("row_{}", n));
    out.column = builder.constant(map_constant(batch, 1, n, all.subspan(plane, plane)), fmt::format("column_{}", n));
    // As large as the coordinates: engines are known to take select() without broadcasting.
    out.zero = builder.constant(map_constant(batch, 1, n, std::vector<float>(plane)), fmt::format("zero_{}", n));
  }
  return out;
}

Value* count_cells(Layers& net, Value* image, std::int64_t image_pixels_a_cell, std::int64_t largest) {
  const std::int64_t step = image_pixels_a_cell, here = largest - 1, size = 2 * largest - 1;
  const ConstantPtr whole = make_bools({true, false, true, true}), no = make_bools(std::vector<bool>(4, false));
  Builder& builder = net.at(kPath);
  Value* pixels = builder.add("slice_by_index",
                              {{"x", image},
                               {"begin", {0, 0, 0, 0}},
                               {"end", {0, 1, 0, 0}},
                               {"stride", {1, 1, step, step}},
                               {"begin_mask", whole},
                               {"end_mask", whole},
                               {"squeeze_mask", no}},
                              "cell_pixels");
  const ConstantPtr unity = make_scalar(DType::fp32, 1);
  Value* bounded = builder.add("minimum", {{"x", pixels}, {"y", unity}}, "cell_bounded");
  Value* ones = builder.add("maximum", {{"x", bounded}, {"y", unity}}, "cell_ones");
  Taps taps(kChannels, 1, size);
  for (std::int64_t k = 0; k < size; ++k) {
    if (k == here) continue;
    const std::int64_t side = k < here ? 1 : -1;  // of the cells before and behind this one
    taps.set(row, 0, k, here, side);
    taps.set(column, 0, here, k, side);
    taps.set(row_again, 0, k, here, side);
    taps.set(others, 0, here, k, 1);
  }
  taps.set(one, 0, here, here, 1);
  return builder.add("conv",
                     {{"x", ones},
                      {"weight", builder.constant(taps.constant(), "cell_counts")},
                      {"strides", {1, 1}},
                      {"pad_type", here == 0 ? "valid" : "custom"},
                      {"pad", {here, here, here, here}},
                      {"dilations", {1, 1}},
                      {"groups", 1}},
                     "cells");
}

Value* split_cells(Layers& net, Value* cells, std::int64_t factor) {
  // Cell k of the `factor` ones of cell i is the (factor·i+k)-th of factor·n.
  Taps taps(kChannels, kChannels, factor);
  for (std::int64_t y = 0; y < factor; ++y) {
    for (std::int64_t x = 0; x < factor; ++x) {
      for (std::int64_t channel : {row, column, row_again, others}) taps.set(channel, channel, y, x, factor);
      taps.set(one, row, y, x, 2 * y - (factor - 1));
      taps.set(one, column, y, x, 2 * x - (factor - 1));
      taps.set(one, row_again, y, x, 2 * y - (factor - 1));
      taps.set(one, others, y, x, factor - 1);
      taps.set(one, one, y, x, 1);
    }
  }
  return net.at(kPath).add("conv_transpose",
                           {{"x", cells},
                            {"weight", taps.constant()},
                            {"strides", {factor, factor}},
                            {"pad_type", "valid"},
                            {"pad", {0, 0, 0, 0}},
                            {"dilations", {1, 1}},
                            {"groups", 1}},
                           "cells_split");
}

Coordinates counted_coordinates(Layers& net, Value* cells, bool single_planes) {
  const std::string path(kPath);
  Value* counts = net.channels(path, cells, row, row + 2, "cell_counts_rc");
  Value* range = net.channels(path, cells, others, others + 1, "cell_range");
  Value* lines = net.at(kPath).add("real_div", {{"x", counts}, {"y", range}}, "cell_coordinates");
  // A corner is sqrt(2) away from the centre at every size.
  Value* distance =
      net.at(kPath).add("reduce_l2_norm", {{"x", lines}, {"axes", {1}}, {"keep_dims", true}}, "cell_distance");
  Value* radius = net.at(kPath).add("mul", {{"x", distance}, {"y", make_scalar(DType::fp32, std::numbers::sqrt2 / 2)}},
                                    "cell_radius");
  Coordinates out{{lines, radius}};
  if (single_planes) {
    out.row = net.channels(path, lines, row, row + 1, "cell_row");
    out.column = net.channels(path, lines, column, column + 1, "cell_column");
    out.zero = net.at(kPath).add("sub", {{"x", out.row}, {"y", out.row}}, "cell_zero");
  }
  return out;
}

Value* counted_grid(Layers& net, Value* cells, double unit) {
  Value* counts = net.channels(std::string(kPath), cells, column, others + 1, "grid_counts");
  Builder& builder = net.at("decoder");
  Value* grid = builder.add("mul", {{"x", counts}, {"y", make_scalar(DType::fp32, 1 / unit)}}, "grid_map");
  return builder.add("reshape", {{"x", grid}, {"shape", {1, 3, -1}}}, "decoder_grid");
}

}  // namespace anemone::models
