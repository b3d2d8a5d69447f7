// Types of convolution, pooling and resizing.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "anemone/onnx/infer.h"

namespace anemone::onnx {
namespace {

constexpr std::int64_t kMostExtent = std::int64_t{1} << 40;  // beyond it, extents are not computed with

/// What slides over the spatial axes, with defaults filled in.
struct Window {
  std::vector<std::int64_t> kernel, strides, dilations, pads;  ///< pads: begins, then ends
  std::string auto_pad;
};

std::optional<Window> window_of(InferView& v, std::size_t axes, std::vector<std::int64_t> kernel) {
  Window w;
  w.kernel = std::move(kernel);
  w.strides = v.node().integers("strides");
  w.dilations = v.node().integers("dilations");
  w.pads = v.node().integers("pads");
  w.auto_pad = v.node().text("auto_pad", "NOTSET");
  if (w.strides.empty()) w.strides.assign(axes, 1);
  if (w.dilations.empty()) w.dilations.assign(axes, 1);
  if (w.pads.empty()) w.pads.assign(axes * 2, 0);
  const auto sane = [](const std::vector<std::int64_t>& list, std::int64_t least) {
    return std::all_of(list.begin(), list.end(), [&](auto n) { return n >= least && n < kMostExtent; });
  };
  if (w.kernel.size() != axes || w.strides.size() != axes || w.dilations.size() != axes || w.pads.size() != axes * 2) {
    v.fail(fmt::format("kernel_shape, strides, dilations or pads are not of {} spatial axes", axes));
    return std::nullopt;
  }
  if (!sane(w.kernel, -1) || !sane(w.strides, 1) || !sane(w.dilations, 1) || !sane(w.pads, -kMostExtent)) {
    v.fail("kernel_shape, strides, dilations or pads are out of range");
    return std::nullopt;
  }
  return w;
}

/// Positions of the window along an axis of `input` elements; absent: not known.
std::optional<std::int64_t> positions(const Window& w, std::size_t axis, std::int64_t input, bool ceil_mode) {
  if (input < 0 || input > kMostExtent) return std::nullopt;
  const std::int64_t stride = w.strides[axis];
  if (w.auto_pad == "SAME_UPPER" || w.auto_pad == "SAME_LOWER") return (input + stride - 1) / stride;
  if (w.kernel[axis] < 0) return std::nullopt;
  const std::size_t axes = w.kernel.size();
  const bool valid = w.auto_pad == "VALID";
  const std::int64_t before = valid ? 0 : w.pads[axis], after = valid ? 0 : w.pads[axis + axes];
  // Wide arithmetic: factors are below 2^40 each.
  const double reach = static_cast<double>(w.kernel[axis] - 1) * static_cast<double>(w.dilations[axis]) + 1;
  if (reach > static_cast<double>(kMostExtent)) return std::nullopt;
  const std::int64_t room = input + before + after - static_cast<std::int64_t>(reach);
  if (room < 0) return std::nullopt;
  std::int64_t count = (ceil_mode ? (room + stride - 1) / stride : room / stride) + 1;
  // A last window that would start in the padding behind is left out.
  if (ceil_mode && (count - 1) * stride >= input + before) --count;
  return count;
}

Dimension dimension(std::optional<std::int64_t> value) { return value ? known_extent(*value) : Dimension{}; }

void conv_to(InferView& v, DataType dtype) {
  const Shape *x = v.shape(0), *w = v.shape(1);
  if (!x || x->size() < 3) return v.set(0, dtype, std::nullopt);
  const std::size_t axes = x->size() - 2;
  if (w && w->size() != x->size()) return v.fail(fmt::format("x has rank {} and the weight {}", x->size(), w->size()));
  std::vector<std::int64_t> kernel = v.node().integers("kernel_shape");
  for (std::size_t i = 0; kernel.size() < axes; ++i) kernel.push_back(w ? extent((*w)[i + 2]) : -1);
  if (w && extent((*x)[1]) >= 0 && extent((*w)[1]) >= 0) {
    const std::int64_t group = v.node().integer("group", 1), channels = extent((*w)[1]);
    if (group < 1 || group > kMostExtent || channels > kMostExtent / group || channels * group != extent((*x)[1]))
      return v.fail(
          fmt::format("x has {} channels; the weight takes {} in each of {} groups", extent((*x)[1]), channels, group));
  }
  const auto window = window_of(v, axes, std::move(kernel));
  if (!window) return;
  Shape out{(*x)[0], w ? (*w)[0] : Dimension{}};
  for (std::size_t i = 0; i < axes; ++i) out.push_back(dimension(positions(*window, i, extent((*x)[i + 2]), false)));
  v.set(0, dtype, std::move(out));
}

void conv(InferView& v) { conv_to(v, v.dtype(0)); }
/// Sums of integers are int32.
void conv_integer(InferView& v) { conv_to(v, DataType::int32); }

/// x, x_scale, x_zero_point, w, …: only the rank is said.
void qlinear_conv(InferView& v) {
  const Shape* x = v.shape(0);
  v.set(0, v.dtype(7), x ? std::optional(unknown_shape(x->size())) : std::nullopt);
}

void conv_transpose(InferView& v) {
  const Shape *x = v.shape(0), *w = v.shape(1);
  if (!x || x->size() < 3) return v.set(0, v.dtype(0), std::nullopt);
  const std::size_t axes = x->size() - 2;
  if (w && w->size() != x->size()) return v.fail(fmt::format("x has rank {} and the weight {}", x->size(), w->size()));
  std::vector<std::int64_t> kernel = v.node().integers("kernel_shape");
  for (std::size_t i = 0; kernel.size() < axes; ++i) kernel.push_back(w ? extent((*w)[i + 2]) : -1);
  const auto window = window_of(v, axes, std::move(kernel));
  if (!window) return;
  std::vector<std::int64_t> more = v.node().integers("output_padding"), given = v.node().integers("output_shape");
  if (more.empty()) more.assign(axes, 0);
  if (more.size() != axes || (!given.empty() && given.size() != axes))
    return v.fail(fmt::format("output_padding or output_shape is not of {} spatial axes", axes));
  const std::int64_t group = v.node().integer("group", 1);
  const std::int64_t per_group = w ? extent((*w)[1]) : -1;
  Shape out{(*x)[0], Dimension{}};
  if (per_group >= 0 && per_group < kMostExtent && group > 0 && group < (1 << 20))
    out[1] = known_extent(per_group * group);
  for (std::size_t i = 0; i < axes; ++i) {
    const std::int64_t input = extent((*x)[i + 2]);
    if (!given.empty()) {
      out.push_back(known_extent(given[i]));
    } else if (input < 0 || input > (1 << 30) || window->kernel[i] < 0 || window->strides[i] > (1 << 30) ||
               window->kernel[i] > (1 << 30) || window->dilations[i] > (1 << 30) || more[i] > (1 << 30) ||
               more[i] < -(1 << 30)) {
      out.emplace_back();
    } else if (window->auto_pad.starts_with("SAME")) {
      out.push_back(known_extent(input * window->strides[i]));
    } else {
      const bool valid = window->auto_pad == "VALID";
      const std::int64_t pads = valid ? 0 : window->pads[i] + window->pads[i + axes];
      const std::int64_t size =
          window->strides[i] * (input - 1) + more[i] + (window->kernel[i] - 1) * window->dilations[i] + 1 - pads;
      out.push_back(size >= 0 ? known_extent(size) : Dimension{});
    }
  }
  v.set(0, v.dtype(0), std::move(out));
}

void pool(InferView& v) {
  const Shape* x = v.shape(0);
  if (!x || x->size() < 3) return v.set(0, v.dtype(0), std::nullopt);
  const std::size_t axes = x->size() - 2;
  const auto window = window_of(v, axes, v.node().integers("kernel_shape"));
  if (!window) return;
  const bool ceil_mode = v.node().integer("ceil_mode", 0) != 0;
  Shape out{(*x)[0], (*x)[1]};
  for (std::size_t i = 0; i < axes; ++i)
    out.push_back(dimension(positions(*window, i, extent((*x)[i + 2]), ceil_mode)));
  v.set(1, DataType::int64, out);  // MaxPool's indices
  v.set(0, v.dtype(0), std::move(out));
}

void global_pool(InferView& v) {
  const Shape* x = v.shape(0);
  if (!x || x->size() < 2) return v.set(0, v.dtype(0), std::nullopt);
  Shape out(x->size(), known_extent(1));
  out[0] = (*x)[0];
  out[1] = (*x)[1];
  v.set(0, v.dtype(0), std::move(out));
}

void max_roi_pool(InferView& v) {
  const Shape *x = v.shape(0), *rois = v.shape(1);
  const auto pooled = v.node().integers("pooled_shape");
  if (!x || x->size() != 4 || pooled.size() != 2) return v.set(0, v.dtype(0), std::nullopt);
  v.set(0, v.dtype(0),
        Shape{rois && !rois->empty() ? (*rois)[0] : Dimension{}, (*x)[1], known_extent(pooled[0]),
              known_extent(pooled[1])});
}

void roi_align(InferView& v) {
  const Shape *x = v.shape(0), *rois = v.shape(1);
  if (!x || x->size() != 4) return v.set(0, v.dtype(0), std::nullopt);
  v.set(0, v.dtype(0),
        Shape{rois && !rois->empty() ? (*rois)[0] : Dimension{}, (*x)[1],
              known_extent(v.node().integer("output_height", 1)), known_extent(v.node().integer("output_width", 1))});
}

/// floor(extent x scale), as the standard has it.
Dimension scaled(const Dimension& input, double scale) {
  const std::int64_t size = extent(input);
  const double product = static_cast<double>(size) * static_cast<double>(static_cast<float>(scale));
  if (size < 0 || !(product >= 0) || product > static_cast<double>(kMostExtent)) return {};
  return known_extent(static_cast<std::int64_t>(std::floor(product)));
}

void resize(InferView& v) {
  const Shape* x = v.shape(0);
  if (!x) return v.set(0, v.dtype(0), std::nullopt);
  const bool upsample = v.node().op_type == "Upsample";
  const std::size_t scales_at = upsample || v.opset() < 11 ? 1 : 2;
  std::optional<std::vector<double>> scales = v.has(scales_at) ? v.numbers(scales_at) : std::nullopt;
  if (const auto* attribute = v.node().attribute("scales")) {
    if (const auto* list = std::get_if<std::vector<float>>(&attribute->value))
      scales.emplace(list->begin(), list->end());
  }
  const auto sizes = v.has(3) ? v.integers(3) : std::nullopt;
  std::vector<std::int64_t> axes = v.node().integers("axes");
  if (axes.empty()) {
    for (std::size_t i = 0; i < x->size(); ++i) axes.push_back(static_cast<std::int64_t>(i));
  }
  Shape out = *x;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const auto axis = axis_of(axes[i], x->size());
    if (!axis) return v.fail("an axis is outside the rank");
    Dimension& dim = out[static_cast<std::size_t>(*axis)];
    if (sizes && i < sizes->size() && !sizes->empty()) {
      dim = v.node().text("keep_aspect_ratio_policy", "stretch") == "stretch" ? known_extent((*sizes)[i]) : Dimension{};
    } else if (scales && i < scales->size()) {
      dim = scaled(dim, (*scales)[i]);
    } else {
      dim = {};
    }
  }
  v.set(0, v.dtype(0), std::move(out));
}

void grid_sample(InferView& v) {
  const Shape *x = v.shape(0), *grid = v.shape(1);
  if (!x || !grid) return v.set(0, v.dtype(0), std::nullopt);
  if (x->size() != grid->size() || x->size() < 3)
    return v.fail(fmt::format("x has rank {} and the grid {}", x->size(), grid->size()));
  Shape out{extent((*x)[0]) < 0 ? (*grid)[0] : (*x)[0], (*x)[1]};
  out.insert(out.end(), grid->begin() + 1, grid->end() - 1);
  v.set(0, v.dtype(0), std::move(out));
}

void affine_grid(InferView& v) {
  const auto size = v.integers(1);
  if (!size || size->size() < 4) return v.set(0, v.dtype(0), std::nullopt);
  Shape out{known_extent((*size)[0])};
  for (std::size_t i = 2; i < size->size(); ++i) out.push_back(known_extent((*size)[i]));
  out.push_back(known_extent(static_cast<std::int64_t>(size->size()) - 2));
  v.set(0, v.dtype(0), std::move(out));
}

constexpr InferRow kRows[] = {
    {"AffineGrid", affine_grid},
    {"AveragePool", pool},
    {"Conv", conv},
    {"ConvInteger", conv_integer},
    {"ConvTranspose", conv_transpose},
    {"GlobalAveragePool", global_pool},
    {"GlobalLpPool", global_pool},
    {"GlobalMaxPool", global_pool},
    {"GridSample", grid_sample},
    {"LpPool", pool},
    {"MaxPool", pool},
    {"MaxRoiPool", max_roi_pool},
    {"QLinearConv", qlinear_conv},
    {"Resize", resize},
    {"RoiAlign", roi_align},
    {"Upsample", resize},
};

}  // namespace

std::span<const InferRow> window_rows() { return kRows; }

}  // namespace anemone::onnx
