// Resize: the most particular of the builders.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "anemone/onnx/infer.h"
#include "anemone/plan/ort/rules.h"

namespace anemone::plan::ort {
namespace {

using Reason = std::optional<std::string>;
using Dims = std::vector<std::int64_t>;

Reason rank(const Op& op) {
  const Dims shape = op.dims(0);
  const std::size_t rank = shape.size();
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return "the operand has no elements";
  if (op.ml_program() ? rank >= 3 && rank <= 5 : rank == 4) return std::nullopt;
  return fmt::format("rank {}", rank);
}

Reason method(const Op& op) {
  const std::string mode = op.node.text("mode", "nearest");
  if (mode != "linear" && mode != "nearest") return "mode is " + mode;
  const std::string nearest = op.node.text("nearest_mode", "round_prefer_floor");
  if (mode == "nearest" && nearest != "floor") return "nearest_mode is " + nearest;
  if (op.node.integer("antialias", 0) != 0) return "antialias is 1";
  if (op.node.integer("exclude_outside", 0) != 0) return "exclude_outside is 1";
  const std::string policy = op.node.text("keep_aspect_ratio_policy", "stretch");
  if (policy != "stretch") return "keep_aspect_ratio_policy is " + policy;
  return std::nullopt;
}

/// Factors of the last two axes; absent: sizes are given.
std::optional<std::vector<double>> scales_of(const Op& op) {
  if (op.has(3) || !op.constant(2)) return std::nullopt;
  return onnx::read_numbers(*op.constant(2));
}

Dims axes_of(const Op& op, std::size_t rank) {
  Dims axes = op.node.integers("axes");
  for (std::size_t i = 0; axes.size() < rank && op.node.integers("axes").empty(); ++i)
    axes.push_back(static_cast<std::int64_t>(i));
  for (std::int64_t& axis : axes) axis += axis < 0 ? static_cast<std::int64_t>(rank) : 0;
  return axes;
}

/// Whether 1 / scale is whole and divides the extent.
bool divides(std::int64_t extent, double scale) {
  if (!(scale > 0 && scale < 1)) return false;
  const double factor = 1 / scale, whole = std::round(factor);
  return std::abs(factor - whole) < 1e-4 && extent % static_cast<std::int64_t>(whole) == 0;
}

Reason by_scales(const Op& op, const std::vector<double>& scales) {
  const Dims shape = op.dims(0), axes = axes_of(op, shape.size());
  const std::int64_t h = shape[shape.size() - 2], w = shape[shape.size() - 1];
  if (h < 0 || w < 0) return fmt::format("scales need known sizes, and the operand is {}", shown(shape));
  if (scales.size() < 2 || scales.size() < axes.size()) return "scales are not given for all axes";
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (axes[i] < static_cast<std::int64_t>(shape.size()) - 2 && scales[i] != 1)
      return fmt::format("axis {} is resized, and only the last two are", axes[i]);
  }
  const double y = scales[scales.size() - 2], x = scales[scales.size() - 1];
  if (y >= 1 && x >= 1) {
    if (y == std::round(y) && x == std::round(x)) return std::nullopt;
    return fmt::format("scales {} and {} are not whole", y, x);
  }
  if (y > 1 || x > 1) return fmt::format("scales {} and {}: one axis grows, the other shrinks", y, x);
  if (!op.ml_program()) return fmt::format("scales {} and {} shrink", y, x);
  if (divides(h, y) && divides(w, x)) return std::nullopt;
  return fmt::format("scales {} and {} do not divide {} by {}", y, x, h, w);
}

Reason to_sizes(const Op& op, const Dims& sizes) {
  const Dims shape = op.dims(0), axes = axes_of(op, shape.size());
  if (sizes.size() < 2 || sizes.size() < axes.size()) return "sizes are not given for all axes";
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (i < shape.size() && axes[i] < static_cast<std::int64_t>(shape.size()) - 2 && shape[i] != sizes[i])
      return fmt::format("axis {} is resized, and only the last two are", axes[i]);
  }
  if (op.ml_program()) return std::nullopt;
  if (!op.is_static(0)) return fmt::format("sizes need a known operand, which is {}", shown(shape));
  const std::int64_t h = shape[shape.size() - 2], w = shape[shape.size() - 1];
  const std::int64_t to_h = sizes[sizes.size() - 2], to_w = sizes[sizes.size() - 1];
  if (to_h % h == 0 && to_w % w == 0) return std::nullopt;
  return fmt::format("{} by {} is no multiple of {} by {}", to_h, to_w, h, w);
}

Reason factors(const Op& op) {
  if (const auto scales = scales_of(op)) return by_scales(op, *scales);
  if (const auto sizes = op.integers(3)) return to_sizes(op, *sizes);
  return "scales or sizes are not readable";
}

Reason coordinates(const Op& op) {
  std::string mode = op.node.text("coordinate_transformation_mode", "half_pixel");
  if (!op.ml_program() || op.node.text("mode", "nearest") == "nearest") {
    if (mode == "asymmetric") return std::nullopt;
    return fmt::format("coordinates are {}, and asymmetric is asked", mode);
  }
  const auto scales = scales_of(op);
  if (mode == "pytorch_half_pixel") {  // differs from half_pixel for a result of one pixel only
    Dims out = op.integers(3).value_or(Dims{});
    const Dims shape = op.dims(0);
    if (scales) {
      out.clear();
      for (const std::size_t back : {2, 1}) {
        const auto extent = static_cast<double>(shape[shape.size() - back]);
        out.push_back(std::llround(extent * (*scales)[scales->size() - back]));
      }
    }
    if (out.size() >= 2 && out[out.size() - 2] > 1 && out[out.size() - 1] > 1) mode = "half_pixel";
  }
  if (mode == "half_pixel" || mode == "align_corners" || (!scales && mode == "asymmetric")) return std::nullopt;
  return fmt::format("coordinates are {}", mode);
}

constexpr RuleText text(std::string_view code, std::string_view name, std::string_view what, std::string_view why,
                        std::string_view instead) {
  return refusal(code, name, what, why, instead, "builders/impl/resize_op_builder.cc");
}

const Rule kRules[] = {
    {.text = text("ORT080", "resize-rank", "Resize of another rank than 4; in ML Programs than 3 to 5",
                  "the layer resizes images", "Reshape around it"),
     .ops = {"Resize"},
     .check = rank},
    {.text =
         text("ORT081", "resize-method", "Resize that is neither linear nor nearest by floor, or does more than that",
              "Core ML has no other", "nearest with nearest_mode floor, or linear"),
     .ops = {"Resize"},
     .check = method},
    {.text = text("ORT082", "resize-factors",
                  "Resize by factors that are not whole, of unknown sizes, or of other axes than the last two",
                  "neural networks grow by whole factors; ML Programs shrink by whole ones, too",
                  "whole scales and fixed sizes; in ML Programs explicit sizes"),
     .ops = {"Resize"},
     .check = factors},
    {.text =
         text("ORT083", "resize-coordinates",
              "Resize with other coordinates than asymmetric; linear in ML Programs with half_pixel or align_corners",
              "the layer samples there", "coordinate_transformation_mode asymmetric for nearest"),
     .ops = {"Resize"},
     .check = coordinates},
};

}  // namespace

std::span<const Rule> resize_rules() { return kRules; }

}  // namespace anemone::plan::ort
