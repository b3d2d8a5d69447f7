// Sampling at computed places, by GridSample.
#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "anemone/backends/onnx/rows.h"

namespace anemone::onnx::exporting {
namespace {

/// A coordinate c becomes factor · c + shift.
struct Line {
  double factor = 1, shift = 0;
  Line then(const Line& next) const { return {next.factor * factor, next.factor * shift + next.shift}; }
  bool is_nothing() const { return std::abs(factor - 1) < 1e-12 && std::abs(shift) < 1e-12; }
};
/// From a coordinate to a position between the centers of elements 0 … extent − 1.
Line to_position(const std::string& coordinates, bool aligned, std::int64_t extent) {
  const auto n = static_cast<double>(extent);
  if (coordinates == "normalized_minus_one_to_one")
    return aligned ? Line{(n - 1) / 2, (n - 1) / 2} : Line{n / 2, (n - 1) / 2};
  if (coordinates == "normalized_zero_to_one") return aligned ? Line{n - 1, 0} : Line{n, -0.5};
  return {};
}
/// From a position to what GridSample takes.
Line to_grid(bool aligned, std::int64_t extent) {
  const auto n = static_cast<double>(extent);
  return aligned ? Line{2 / std::max(n - 1, 1.0), -1} : Line{2 / n, 1 / n - 1};
}

/// Both coordinates of every place.
Value* moved(Emit& e, Value* places, const Line& across, const Line& down) {
  if (across.is_nothing() && down.is_nothing()) return places;
  places = e.make("Mul", {places, e.literals(e.dtype(), {2}, {across.factor, down.factor})});
  return e.make("Add", {places, e.literals(e.dtype(), {2}, {across.shift, down.shift})});
}

/// Positions mirrored at the walls, then rounded: GridSample rounds first, which differs between two neighbours.
Value* mirrored(Emit& e, Value* positions, bool between_centers, std::int64_t width, std::int64_t height) {
  const double low = between_centers ? 0 : -0.5;
  const auto period = [&](std::int64_t extent) {
    return std::max(1.0, 2 * static_cast<double>(between_centers ? extent - 1 : extent));
  };
  Value* periods = e.literals(e.dtype(), {2}, {period(width), period(height)});
  Value* far = e.make("Abs", {e.make("Sub", {positions, e.literal(low)})});
  Value* turns = e.make("Floor", {e.make("Div", {far, periods})});
  Value* inside = e.make("Sub", {far, e.make("Mul", {turns, periods})});
  inside = e.make("Min", {inside, e.make("Sub", {periods, inside})});
  return e.make("Round", {e.make("Add", {inside, e.literal(low)})});
}

Attrs grid_attributes(const Emit& e, bool near, const std::string& padding, bool aligned) {
  const std::string mode = near ? "nearest" : e.opset() >= 20 ? "linear" : "bilinear";
  return {attr("mode", mode), attr("padding_mode", padding), attr("align_corners", std::int64_t{aligned})};
}

Diagnostic no_grid_sample(const Emit& e) {
  return e.refuse(fmt::format("GridSample exists since opset 16, and this is {}", e.opset()), "'--opset 16'");
}

Result<void> resample(Emit& e) {
  if (e.opset() < 16) return no_grid_sample(e);
  const Dims& x = e.dims("x");
  if (x.size() != 4 || x[2] == kUnknown || x[3] == kUnknown)
    return e.refuse("the size of x is not known", "give the input a size with --shapes");
  const std::string padding = e.text("padding_mode"), coordinates = e.text("coordinates_mode");
  const bool given = e.flag("align_corners"), near = e.text("sampling_mode") == "nearest";
  bool wanted = padding == "reflection" || (padding != "symmetric" && given);
  std::string word = padding == "constant" ? "zeros" : padding == "border" ? "border" : "reflection";
  Value* grid = e.in_as("coordinates", e.dtype());
  Line across = to_position(coordinates, given, x[3]), down = to_position(coordinates, given, x[2]);
  if (near && word == "reflection") {
    grid = mirrored(e, moved(e, grid, across, down), padding == "reflection", x[3], x[2]);
    across = down = {};
    word = "border";
    wanted = true;
  }
  grid = moved(e, grid, across.then(to_grid(wanted, x[3])), down.then(to_grid(wanted, x[2])));
  const double outside = padding == "constant" ? e.number("padding_value") : 0;
  Value* image = outside == 0 ? e.in("x") : e.make("Sub", {e.in("x"), e.literal(outside)});
  Call call{"GridSample", {image, grid}, grid_attributes(e, near, word, wanted)};
  if (outside == 0) return e.give(std::move(call));
  return e.give("Add", {e.make(std::move(call)), e.literal(outside)});
}

Result<void> affine(Emit& e) {
  if (e.opset() < 16) return no_grid_sample(e);
  const std::int64_t height = e.integer("output_height"), width = e.integer("output_width");
  std::vector<double> places;  // x, y, 1 of every element of the result
  const auto at = [](std::int64_t i, std::int64_t count) {
    return count == 1 ? 0 : -1 + 2 * static_cast<double>(i) / static_cast<double>(count - 1);
  };
  for (std::int64_t r = 0; r < height; ++r) {
    for (std::int64_t c = 0; c < width; ++c) places.insert(places.end(), {at(c, width), at(r, height), 1});
  }
  const std::int64_t batch = e.dims("x")[0], matrices = e.dims("transform_matrix")[0];
  if (batch == kUnknown || matrices == kUnknown)
    return e.refuse("the number of samples is not known", "give the input a size with --shapes");
  Value* matrix = e.transpose(e.reshape(e.in_as("transform_matrix", e.dtype()), {matrices, 2, 3}), {0, 2, 1});
  Value* grid = e.make("MatMul", {e.literals(e.dtype(), {height * width, 3}, places), matrix});
  grid = e.reshape(grid, {matrices, height, width, 2});
  if (matrices != batch) grid = e.make("Expand", {grid, e.int64s({batch, height, width, 2})});
  return e.give("GridSample", {e.in("x"), grid}, grid_attributes(e, false, "zeros", true));
}

/// Where sample i of `count` lies along a span: first + length · at[i] + shift[i].
struct Spread {
  std::vector<double> at, shift;
  bool length_at_least_one = false;
};
Spread spread(const std::string& mode, std::int64_t count) {
  Spread s;
  s.length_at_least_one = mode == "OFFSET_CORNERS";
  const auto n = static_cast<double>(count);
  for (std::int64_t k = 0; k < count; ++k) {
    const auto i = static_cast<double>(k);
    double at = i / n, shift = i / n;
    if (mode == "UNALIGN_CORNERS") at = (i + 0.5) / n, shift = at - 0.5;
    if (mode == "OFFSET_CORNERS") at = (i + 0.5) / n, shift = 0;
    if (mode.ends_with("ALIGN_CORNERS") && mode != "UNALIGN_CORNERS") {
      at = count > 1 ? i / (n - 1) : mode == "ALIGN_CORNERS" ? 0.5 : 0;
      shift = 0;
    }
    s.at.push_back(at);
    s.shift.push_back(shift);
  }
  return s;
}

/// The positions [boxes, count] along one axis, of spans that begin at `first` and are `length` long, [boxes, 1] each.
Value* positions(Emit& e, Value* first, Value* length, const Spread& s) {
  const auto count = static_cast<std::int64_t>(s.at.size());
  if (s.length_at_least_one) length = e.make("Max", {length, e.literal(1)});
  Value* along = e.make("Mul", {length, e.literals(e.dtype(), {1, count}, s.at)});
  along = e.make("Add", {first, along});
  return e.make("Add", {along, e.literals(e.dtype(), {1, count}, s.shift)});
}

/// 1 where a position lies between the first and the last element.
Value* inside(Emit& e, Value* positions, std::int64_t extent) {
  Value* begun = e.make("GreaterOrEqual", {positions, e.literal(0)});
  Value* not_over = e.make("LessOrEqual", {positions, e.literal(static_cast<double>(extent - 1))});
  return e.make("And", {begun, not_over});
}

// A place outside gives pad_value whatever its neighbours are, so that a mask decides, and not the padding.
Result<void> crop_resize(Emit& e) {
  if (e.opset() < 16) return no_grid_sample(e);
  const bool old_form = e.has("roi");
  const std::string boxes_param = old_form ? "roi" : "boxes";
  const Dims &x = e.dims("x"), &given = e.dims(boxes_param), &out = e.out_type().dims;
  if (!e.type("x").is_fixed() || !e.type(boxes_param).is_fixed() || !e.is_fixed())
    return e.refuse("the number of boxes or samples is not known", "give the input a size with --shapes");
  const std::int64_t count = given[0], numbers = old_form ? given[2] : 4;
  if (old_form && numbers == 4 && x[0] != 1)
    return e.refuse("every box of every sample", "give the sample with the box");
  const std::int64_t height = out[out.size() - 2], width = out.back();
  Value* boxes = e.reshape(e.in_as(boxes_param, e.dtype()), {count, numbers});
  Value* samples = nullptr;
  if (numbers == 5) {
    samples = e.cast(e.reshape(e.slice(boxes, {0}, {1}, {1}), {count}), DataType::int64);
    boxes = e.slice(boxes, {1}, {5}, {1});
  } else if (e.has("box_indices")) {
    samples = e.in_int64("box_indices");
  }
  const std::string mode = e.text("box_coordinate_mode");
  const bool width_first = mode.ends_with("WIDTH_FIRST");
  const double scale = e.number("spatial_scale");
  const auto unit = [&](std::int64_t extent) {
    return scale * (e.flag("normalized_coordinates") ? static_cast<double>(extent - 1) : 1);
  };
  const std::vector<double> units =
      width_first ? std::vector<double>{unit(x[3]), unit(x[2])} : std::vector<double>{unit(x[2]), unit(x[3])};
  Value* scales = e.literals(e.dtype(), {1, 2}, units);
  Value* first = e.make("Mul", {e.slice(boxes, {0}, {2}, {1}), scales});
  Value* second = e.make("Mul", {e.slice(boxes, {2}, {4}, {1}), scales});
  Value* length = second;
  if (mode.starts_with("CENTER")) {
    first = e.make("Sub", {first, e.make("Mul", {second, e.literal(0.5)})});
  } else {
    length = e.make("Sub", {second, first});
  }
  const auto column = [&](Value* pair, std::int64_t i) { return e.slice(pair, {i}, {i + 1}, {1}); };
  const std::int64_t row = width_first ? 1 : 0;
  const std::string sampling = e.text("sampling_mode");
  Value* rows = positions(e, column(first, row), column(length, row), spread(sampling, height));
  Value* columns = positions(e, column(first, 1 - row), column(length, 1 - row), spread(sampling, width));
  Value* mask = e.make("And", {e.reshape(inside(e, rows, x[2]), {count, 1, height, 1}),
                               e.reshape(inside(e, columns, x[3]), {count, 1, 1, width})});
  const auto grid_of = [&](Value* at, std::int64_t extent, const Dims& shape) {
    const Line line = to_grid(true, extent);
    at = e.make("Add", {e.make("Mul", {at, e.literal(line.factor)}), e.literal(line.shift)});
    return e.make("Expand", {e.reshape(at, shape), e.int64s({count, height, width, 1})});
  };
  Value* grid =
      e.make("Concat", {grid_of(columns, x[3], {count, 1, width, 1}), grid_of(rows, x[2], {count, height, 1, 1})},
             {attr("axis", std::int64_t{3})});
  Value* image = e.in("x");
  if (samples) {
    image = e.make("Gather", {image, samples}, {attr("axis", std::int64_t{0})});
  } else if (x[0] != count) {
    image = e.make("Expand", {image, e.int64s({count, x[1], x[2], x[3]})});
  }
  Value* sampled = e.make("GridSample", {image, grid}, grid_attributes(e, false, "border", true));
  Call result{"Where", {mask, sampled, e.literal(e.number("pad_value"))}, {}};
  if (out.size() == 4) return e.give(std::move(result));
  return e.give("Reshape", {e.make(std::move(result)), e.int64s(out)});
}

constexpr std::array kRows = {
    RaiseRow{"resample", resample, "Mul, Add, GridSample"},
    RaiseRow{"affine", affine, "MatMul, Reshape, Expand, GridSample"},
    RaiseRow{"crop_resize", crop_resize, "arithmetic of the boxes, Gather, GridSample, Where"},
};

}  // namespace

std::span<const RaiseRow> raise_sample() { return kRows; }

}  // namespace anemone::onnx::exporting
