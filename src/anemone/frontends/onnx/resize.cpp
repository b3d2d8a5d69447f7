// Resize and Upsample. MIL has a few samplings of the last two dimensions; every other one is a gather (nearest) or a
// product with a constant matrix of weights (linear, cubic, antialiased) along each axis.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "anemone/frontends/onnx/lowering.h"

namespace anemone::onnx {
namespace {

enum class Mode : std::uint8_t { nearest, linear, cubic };

struct Axis {
  std::size_t axis = 0;
  std::int64_t in = 1, out = 1;
  double scale = 1;                   ///< as given, or out / in
  double roi_begin = 0, roi_end = 1;  ///< tf_crop_and_resize
};

struct Sampling {
  Mode mode = Mode::nearest;
  std::string coordinates, nearest;
  double cubic_a = -0.75;
  bool exclude_outside = false, antialias = false;
  double extrapolation = 0;
  bool extrapolates() const { return coordinates == "tf_crop_and_resize"; }
};

// Where in the input the element i of the output comes from.
double position(const Sampling& s, const Axis& a, std::int64_t i) {
  const auto x = static_cast<double>(i), in = static_cast<double>(a.in), out = static_cast<double>(a.out);
  if (s.coordinates == "asymmetric") return x / a.scale;
  if (s.coordinates == "align_corners") return out == 1 ? 0 : x * (in - 1) / (out - 1);
  if (s.coordinates == "pytorch_half_pixel") return out > 1 ? (x + 0.5) / a.scale - 0.5 : 0;
  if (s.coordinates == "tf_half_pixel_for_nn") return (x + 0.5) / a.scale;
  if (s.coordinates == "half_pixel_symmetric") {
    const double adjusted = out / (a.scale * in), centre = in / 2;
    return centre * (1 - adjusted) + (x + 0.5) / a.scale - 0.5;
  }
  if (s.coordinates == "tf_crop_and_resize") {
    return out > 1 ? a.roi_begin * (in - 1) + x * (a.roi_end - a.roi_begin) * (in - 1) / (out - 1)
                   : 0.5 * (a.roi_begin + a.roi_end) * (in - 1);
  }
  if (s.coordinates == "half_pixel") return (x + 0.5) / a.scale - 0.5;
  Call::refuse(fmt::format("coordinate_transformation_mode '{}'", s.coordinates));
}

std::int64_t nearest_of(const Sampling& s, double at, std::int64_t extent) {
  // A position that is whole but for rounding of the scale is whole.
  const double whole = std::round(at);
  if (std::fabs(at - whole) < 1e-5) at = whole;
  const double floor = std::floor(at);
  const double index = s.nearest == "floor"               ? floor
                       : s.nearest == "ceil"              ? std::ceil(at)
                       : s.nearest == "round_prefer_ceil" ? std::floor(at + 0.5)
                                                          : std::ceil(at - 0.5);
  return std::clamp<std::int64_t>(static_cast<std::int64_t>(index), 0, extent - 1);
}

// The weight of an element at distance d, in units of the (stretched) input.
double kernel(const Sampling& s, double d) {
  d = std::fabs(d);
  if (s.mode == Mode::linear) return std::max(0.0, 1 - d);
  const double a = s.cubic_a;
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  if (d < 2) return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
  return 0;
}

// Row i: the weights of the input's elements in element i of the output.
std::vector<double> weight_matrix(const Sampling& s, const Axis& a) {
  std::vector<double> matrix(table_size({a.out, a.in}, 1 << 21), 0.0);
  const double stretch = s.antialias && a.scale < 1 ? 1 / a.scale : 1;
  const double reach = (s.mode == Mode::linear ? 1 : 2) * stretch;
  for (std::int64_t i = 0; i < a.out; ++i) {
    const double at = position(s, a, i);
    const auto first = static_cast<std::int64_t>(std::floor(at - reach)),
               last = static_cast<std::int64_t>(std::ceil(at + reach));
    double total = 0;
    double* row = matrix.data() + i * a.in;
    for (std::int64_t k = first; k <= last; ++k) {
      const double weight = kernel(s, (static_cast<double>(k) - at) / stretch);
      const bool outside = k < 0 || k >= a.in;
      if (outside && s.exclude_outside) continue;
      row[std::clamp<std::int64_t>(k, 0, a.in - 1)] += weight;
      total += weight;
    }
    for (std::int64_t k = 0; k < a.in && total != 0; ++k) row[k] /= total;
  }
  return matrix;
}

// out = M·x along one axis.
MilValue* along_axis(Emit& emit, MilValue* x, const Axis& a, const Sampling& s) {
  const auto matrix = make_constant(x->type.dtype, {a.out, a.in}, std::span<const double>(weight_matrix(s, a)));
  const std::size_t rank = x->type.dims.size();
  if (a.axis + 1 == rank) return emit.add("matmul", {{"x", x}, {"y", matrix}, {"transpose_y", true}});
  Dims result = x->type.dims, merged{1, a.in, 1};
  for (std::size_t d = 0; d < rank; ++d) {
    if (d < a.axis) merged[0] *= result[d];
    if (d > a.axis) merged[2] *= result[d];
  }
  result[a.axis] = a.out;
  return emit.reshape(emit.add("matmul", {{"x", matrix}, {"y", emit.reshape(x, merged)}}), result);
}

std::vector<double> positions(const Sampling& s, const Axis& a) {
  std::vector<double> out;
  out.reserve(table_size({a.out}));
  for (std::int64_t i = 0; i < a.out; ++i)
    out.push_back(std::clamp(position(s, a, i), 0.0, static_cast<double>(a.in - 1)));
  return out;
}

// MIL's sampling mode that takes the same positions on this axis, to within rounding.
bool is_sampled_as(std::string_view mode, const Sampling& s, const Axis& a) {
  const std::vector<double> wanted = positions(s, a);
  for (std::int64_t i = 0; i < a.out; ++i) {
    const auto x = static_cast<double>(i), in = static_cast<double>(a.in), out = static_cast<double>(a.out);
    const double at = mode == "UNALIGN_CORNERS"        ? (x + 0.5) * in / out - 0.5
                      : mode == "STRICT_ALIGN_CORNERS" ? (out > 1 ? x * (in - 1) / (out - 1) : 0)
                                                       : x * in / out;
    if (std::fabs(std::clamp(at, 0.0, in - 1) - wanted[static_cast<std::size_t>(i)]) > 1e-6 * std::max(1.0, in))
      return false;
  }
  return true;
}

// Nothing moves along this axis. One that is as long as before is not looked at number by number.
bool is_kept(const Sampling& s, const Axis& a) {
  if (a.in != a.out || s.extrapolates()) return false;
  return (a.scale == 1 && s.coordinates != "tf_half_pixel_for_nn") || is_sampled_as("DEFAULT", s, a);
}

// The whole plane by one of MIL's own operations; null: none takes these positions.
MilValue* by_own_operation(Emit& emit, MilValue* x, const Axis& height, const Axis& width, const Sampling& s) {
  if (s.antialias || s.extrapolates() || s.mode == Mode::cubic) return nullptr;
  if (s.mode == Mode::linear) {
    for (const char* mode : {"UNALIGN_CORNERS", "STRICT_ALIGN_CORNERS", "DEFAULT"}) {
      if (!is_sampled_as(mode, s, height) || !is_sampled_as(mode, s, width)) continue;
      return emit.add(
          "resize_bilinear",
          {{"x", x}, {"target_size_height", height.out}, {"target_size_width", width.out}, {"sampling_mode", mode}});
    }
    return nullptr;
  }
  for (const Axis* a : {&height, &width}) {  // floor(i · in / out)
    for (std::int64_t i = 0; i < a->out; ++i) {
      if (nearest_of(s, position(s, *a, i), a->in) != i * a->in / a->out) return nullptr;
    }
  }
  if (height.out % height.in == 0 && width.out % width.in == 0) {
    return emit.add(
        "upsample_nearest_neighbor",
        {{"x", x}, {"scale_factor_height", height.out / height.in}, {"scale_factor_width", width.out / width.in}});
  }
  return emit.add("resize_nearest_neighbor",
                  {{"x", x}, {"target_size_height", height.out}, {"target_size_width", width.out}});
}

// What lies outside the region of interest is one number.
MilValue* extrapolated(Emit& emit, MilValue* y, const Axis& a, const Sampling& s) {
  std::vector<double> inside;
  for (std::int64_t i = 0; i < a.out; ++i) {
    const double at = position(s, a, i);
    inside.push_back(at >= 0 && at <= static_cast<double>(a.in - 1));
  }
  if (std::find(inside.begin(), inside.end(), 0.0) == inside.end()) return y;
  Dims dims(y->type.dims.size(), 1);
  dims[a.axis] = a.out;
  return emit.add("select", {{"cond", make_constant(DType::boolean, dims, std::span<const double>(inside))},
                             {"a", y},
                             {"b", emit.number(y, s.extrapolation)}});
}

void give_resized(Call& c, std::vector<Axis> axes, const Sampling& s) {
  Emit& emit = c.emit();
  MilValue* x = c.in(0);
  const DType dtype = x->type.dtype;
  const std::size_t rank = c.rank(0);
  for (const Axis& a : axes) {
    if (a.out < 1) Call::refuse(fmt::format("a result with an extent of {}", a.out));
  }
  std::erase_if(axes, [&](const Axis& a) { return is_kept(s, a); });
  for (const Axis& a : axes) table_size({a.out});  // positions are looked at one by one
  if (axes.empty()) return c.give(x);
  if (s.mode != Mode::nearest) x = c.real(0);
  const bool in_plane = std::all_of(axes.begin(), axes.end(), [&](const Axis& a) { return a.axis + 2 >= rank; });
  const Dims& dims = c.dims(0);
  const bool is_plane = rank >= 3 && rank <= 5 && dims[rank - 2] > 0 && dims[rank - 1] > 0;
  if (in_plane && is_plane && is_float(x->type.dtype)) {
    Axis height{rank - 2, dims[rank - 2], dims[rank - 2]}, width{rank - 1, dims[rank - 1], dims[rank - 1]};
    for (const Axis& a : axes) (a.axis == rank - 2 ? height : width) = a;
    if (MilValue* y = by_own_operation(emit, x, height, width, s)) return c.give(emit.cast(y, dtype));
  }
  for (const Axis& a : axes) {
    if (s.mode == Mode::nearest) {
      Dims indices;
      for (std::int64_t i = 0; i < a.out; ++i) indices.push_back(nearest_of(s, position(s, a, i), a.in));
      x = emit.pick(x, static_cast<std::int64_t>(a.axis), indices);
    } else {
      x = along_axis(emit, x, a, s);
    }
  }
  for (const Axis& a : axes) {
    if (s.extrapolates()) x = extrapolated(emit, x, a, s);
  }
  c.give(emit.cast(x, dtype));
}

Mode read_mode(const Call& c) {
  const std::string mode = c.text("mode", "nearest");
  if (mode == "nearest") return Mode::nearest;
  if (mode == "linear" || mode == "bilinear") return Mode::linear;
  if (mode == "cubic") return Mode::cubic;
  Call::refuse(fmt::format("mode '{}'", mode));
}

void check_extent(double extent) {
  if (!(extent >= 0 && extent < 1 << 30)) Call::refuse(fmt::format("an extent of {}", extent));
}

std::vector<Axis> by_scales(const Call& c, const std::vector<double>& scales, const Dims& named) {
  const Dims& x = c.dims(0);
  const std::size_t count = named.empty() ? x.size() : named.size();
  if (scales.size() != count) Call::refuse(fmt::format("{} scales for {} axes", scales.size(), count));
  std::vector<Axis> axes;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t d = named.empty() ? i : Call::axis(named[i], x.size());
    if (!(scales[i] > 0)) Call::refuse(fmt::format("a scale of {}", scales[i]));
    // Scales are floats: 0.6 · 5 is 3, not 2.9999998.
    const double extent = static_cast<double>(x[d]) * static_cast<double>(static_cast<float>(scales[i]));
    check_extent(extent);
    axes.push_back({d, x[d], static_cast<std::int64_t>(std::floor(extent + 1e-6 * extent)), scales[i]});
  }
  return axes;
}

std::vector<Axis> by_sizes(const Call& c, const Dims& sizes, const Dims& named) {
  const Dims& x = c.dims(0);
  const std::size_t count = named.empty() ? x.size() : named.size();
  if (sizes.size() != count) Call::refuse(fmt::format("{} sizes for {} axes", sizes.size(), count));
  std::vector<Axis> axes;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t d = named.empty() ? i : Call::axis(named[i], x.size());
    if (x[d] < 1) Call::refuse(fmt::format("nothing to resize in {}", brief(x)));
    axes.push_back({d, x[d], sizes[i], static_cast<double>(sizes[i]) / static_cast<double>(x[d])});
  }
  const std::string policy = c.text("keep_aspect_ratio_policy", "stretch");
  if (policy == "stretch" || axes.empty()) return axes;
  double scale = axes[0].scale;
  for (const Axis& a : axes) scale = policy == "not_larger" ? std::min(scale, a.scale) : std::max(scale, a.scale);
  for (Axis& a : axes) {
    a.scale = scale;
    check_extent(scale * static_cast<double>(a.in));
    a.out = static_cast<std::int64_t>(std::floor(scale * static_cast<double>(a.in) + 0.5));
  }
  return axes;
}

void lower_upsample(Call& c) {
  Sampling s;
  s.mode = read_mode(c);
  s.coordinates = "asymmetric";
  s.nearest = "floor";
  std::vector<double> scales;
  if (c.has(1)) {
    scales = c.numbers(1);
  } else if (c.has_attribute("scales")) {
    for (const float scale : c.floats("scales")) scales.push_back(static_cast<double>(scale));
  } else {  // opset 1
    scales = {1, 1, c.number("height_scale", 1), c.number("width_scale", 1)};
  }
  give_resized(c, by_scales(c, scales, {}), s);
}

void lower_resize_10(Call& c) {
  Sampling s;
  s.mode = read_mode(c);
  s.coordinates = "asymmetric";
  s.nearest = "floor";
  give_resized(c, by_scales(c, c.numbers(1), {}), s);
}

void lower_resize(Call& c) {
  Sampling s;
  s.mode = read_mode(c);
  s.coordinates = c.text("coordinate_transformation_mode", "half_pixel");
  s.nearest = c.text("nearest_mode", "round_prefer_floor");
  s.cubic_a = c.number("cubic_coeff_a", -0.75);
  s.exclude_outside = c.flag("exclude_outside", false);
  s.antialias = c.flag("antialias", false);
  s.extrapolation = c.number("extrapolation_value", 0);
  const Dims named = c.list("axes");
  const std::vector<double> scales = c.has(2) ? c.numbers(2) : std::vector<double>();
  std::vector<Axis> axes = scales.empty() ? by_sizes(c, c.ints(3), named) : by_scales(c, scales, named);
  for (const Axis& a : axes) {
    const double extent = a.scale * static_cast<double>(a.in);
    if (s.coordinates == "align_corners" && std::fabs(extent - std::round(extent)) > 1e-3 && !scales.empty()) {
      Call::refuse(fmt::format("align_corners with a scale of {} on {}: ONNX and ONNX Runtime read it differently",
                               a.scale, a.in),
                   "give sizes instead of scales");
    }
  }
  if (s.extrapolates()) {
    const std::vector<double> roi = c.numbers(1);
    if (roi.size() != 2 * axes.size()) Call::refuse("a region of interest of the wrong size");
    for (const double bound : roi) {
      if (!(std::fabs(bound) < 1 << 20)) Call::refuse(fmt::format("a region of interest that ends at {}", bound));
    }
    for (std::size_t i = 0; i < axes.size(); ++i) {
      axes[i].roi_begin = roi[i];
      axes[i].roi_end = roi[i + axes.size()];
    }
  }
  give_resized(c, std::move(axes), s);
}

constexpr Row kRows[] = {
    {"Upsample", 1, lower_upsample, "scales computed from data"},
    {"Resize", 10, lower_resize_10, "scales computed from data"},
    {"Resize", 11, lower_resize,
     "scales or sizes computed from data; align_corners with a scale that gives no whole extent"},
};

}  // namespace

std::span<const Row> resize_lowerings() { return kRows; }

}  // namespace anemone::onnx
