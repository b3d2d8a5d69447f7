// Attributes that a builder does not write.
#include <fmt/format.h>

#include <algorithm>

#include "anemone/onnx/infer.h"
#include "anemone/plan/ort/rules.h"

namespace anemone::plan::ort {
namespace {

using Reason = std::optional<std::string>;
using Dims = std::vector<std::int64_t>;

Reason refuse_if(bool bad, std::string reason) { return bad ? Reason(std::move(reason)) : std::nullopt; }

Reason kernel_shape(const Op& op) {
  if (!op.node.attribute("kernel_shape")) return std::nullopt;
  const Dims weight = op.dims(1), kernel = op.node.integers("kernel_shape");
  const bool same = weight.size() == kernel.size() + 2 && std::equal(kernel.begin(), kernel.end(), weight.begin() + 2);
  return refuse_if(!same, fmt::format("kernel_shape is {}, and the weight {}", shown(kernel), shown(weight)));
}

Reason conv_transpose(const Op& op) {
  const std::string padding = op.node.text("auto_pad", "NOTSET");
  if (padding.starts_with("SAME")) return "auto_pad is " + padding;
  const Dims pads = op.node.integers("pads"), more = op.node.integers("output_padding");
  if (padding == "NOTSET" && pads.empty()) return "pads are not given";
  if (padding == "NOTSET" && std::count(pads.begin(), pads.end(), pads[0]) != static_cast<std::ptrdiff_t>(pads.size()))
    return fmt::format("pads {} differ", shown(pads));
  if (op.node.attribute("output_shape")) return "output_shape is given";
  return refuse_if(std::any_of(more.begin(), more.end(), [](std::int64_t n) { return n != 0; }),
                   "output_padding is not 0");
}

Reason pool(const Op& op) {
  const Dims dilations = op.node.integers("dilations");
  if (op.node.integer("storage_order", 0) == 1) return "storage_order is 1";
  if (op.node.attribute("kernel_shape") && op.node.integers("kernel_shape").size() != 2) return "the window is not 2-D";
  if (!dilations.empty() && dilations != Dims{1, 1}) return fmt::format("dilations are {}", shown(dilations));
  if (!op.ml_program() && op.node.integer("ceil_mode", 0) == 1) return "ceil_mode is 1";
  return refuse_if(op.node.output_count() != 1, "it gives indices, too");
}

Reason gemm(const Op& op) {
  const float alpha = op.node.number("alpha", 1), beta = op.node.number("beta", 1);
  if (op.node.integer("transA", 0) != 0) return "transA is 1";
  return refuse_if(alpha != 1 || beta != 1, fmt::format("alpha is {} and beta {}", alpha, beta));
}

Reason one_output(const Op& op) { return refuse_if(op.node.output_count() != 1, "it gives statistics, too"); }

Reason spatial(const Op& op) { return refuse_if(op.node.integer("spatial", 1) != 1, "spatial is 0"); }

Reason stash_type(const Op& op) { return refuse_if(op.node.integer("stash_type", 1) != 1, "stash_type is not float"); }

Reason cast(const Op& op) {
  if (edges_in(op.node) == 0) return "its operand is an input or a constant, and no node's result";
  if (op.ml_program()) return std::nullopt;
  const Node& before = *producer(op.node, 0);
  if (before.op_type != "ArgMax" || judge(op.subject, before).rule) return "it does not follow an ArgMax that is taken";
  return refuse_if(op.node.integer("to", 0) != static_cast<std::int64_t>(DataType::int32), "not to int32");
}

Reason arg_max(const Op& op) {
  if (op.node.integer("select_last_index", 0) != 0) return "select_last_index is 1";
  if (op.ml_program() || edges_out(op.node) <= 1) return std::nullopt;
  for (const Node* reader : readers(*op.node.output(0))) {
    if (reader->op_type == "Cast" && reader->integer("to", 0) == static_cast<std::int64_t>(DataType::int32))
      return "a Cast to int32 and something else read it";
  }
  return std::nullopt;
}

Reason clip(const Op& op) {
  const auto bound = [&](std::size_t input, std::string_view attribute) -> std::optional<double> {
    if (op.since() < 11) {
      if (!op.node.attribute(attribute)) return std::nullopt;
      return op.node.number(attribute, 0);
    }
    return scalar(op.model(), op.node.input(input));
  };
  const auto least = bound(1, "min"), most = bound(2, "max");
  return refuse_if(least && most && *least == *most, "min and max are the same");
}

/// The form that makes a Reduce without axes change nothing. The builder looks where no exporter writes axes, so that
/// given ones count as none.
Reason reduce(const Op& op) {
  return refuse_if(op.node.integer("noop_with_empty_axes", 0) != 0 && (op.version() >= 20 || op.has(1)),
                   "noop_with_empty_axes is 1");
}

Reason slice(const Op& op) {
  const Dims shape = op.dims(0);
  const auto starts = op.integers(1), ends = op.integers(2);
  auto axes = op.integers(3), steps = op.integers(4);
  if (!starts || !ends || starts->size() != ends->size()) return "starts and ends are not of one length";
  if (!steps) steps.emplace(starts->size(), 1);
  for (std::size_t i = 0; i < starts->size(); ++i) {
    std::int64_t axis = axes && i < axes->size() ? (*axes)[i] : static_cast<std::int64_t>(i);
    if (axis < 0) axis += static_cast<std::int64_t>(shape.size());
    if (axis < 0 || axis >= static_cast<std::int64_t>(shape.size()) || i >= steps->size())
      return "an axis does not exist";
    const std::int64_t n = shape[static_cast<std::size_t>(axis)], step = (*steps)[i];
    const auto clamp = [&](std::int64_t at) {
      return std::clamp<std::int64_t>(at < 0 ? at + n : at, step > 0 ? 0 : -1, step > 0 ? n : n - 1);
    };
    const std::int64_t begin = clamp((*starts)[i]), end = clamp((*ends)[i]);
    if (step == 0 || (step > 0 ? begin >= end : begin <= end)) return fmt::format("nothing is left of axis {}", axis);
  }
  return std::nullopt;
}

Reason reshape(const Op& op) {
  const auto shape = op.integers(1);
  if (!shape || shape->empty()) return "to a scalar";
  if (shape->size() > 5) return fmt::format("to rank {}", shape->size());
  const bool zero = std::find(shape->begin(), shape->end(), 0) != shape->end();
  return refuse_if(zero && op.node.integer("allowzero", 0) == 1, "to an extent of 0");
}

Reason shape_range(const Op& op) {
  if (!op.ml_program()) {
    return refuse_if(op.node.integer("start", 0) != 0 || op.node.attribute("end"), "start or end is given");
  }
  const auto rank = static_cast<std::int64_t>(op.dims(0).size());
  const auto at = [&](std::int64_t axis) { return axis < 0 ? axis + rank : axis; };
  const std::int64_t end = op.node.attribute("end") ? at(op.node.integer("end", -1)) : rank;
  return refuse_if(end == at(op.node.integer("start", 0)), "start and end are the same");
}

Reason depth_to_space(const Op& op) { return refuse_if(op.node.text("mode", "DCR") != "DCR", "the order is CRD"); }

Reason grid_sample(const Op& op) {
  const std::string mode = op.node.text("mode", "linear"), padding = op.node.text("padding_mode", "zeros");
  if (mode != "linear" && mode != "bilinear") return "mode is " + mode;
  return refuse_if(padding == "reflection" && op.node.integer("align_corners", 0) == 0,
                   "reflection without align_corners");
}

Reason pad(const Op& op) {
  if (const std::string mode = op.node.text("mode", "constant"); mode != "constant") return "mode is " + mode;
  if (op.version() >= 23 && op.dtype(2) != DataType::float32) return "the value is not float";
  const auto rank = static_cast<std::int64_t>(op.dims(0).size());
  const auto values = [&](std::size_t input) {
    const Tensor* tensor = op.initializer(input);
    return tensor ? onnx::read_integers(*tensor) : std::nullopt;
  };
  const auto widths = values(1), given = values(3);
  if (!widths) return "the widths are not readable";
  const std::size_t axes = given ? given->size() : static_cast<std::size_t>(rank);
  if (widths->size() != axes * 2) return "the widths do not fit the axes";
  for (std::size_t i = 0; i < axes; ++i) {
    std::int64_t axis = given ? (*given)[i] : static_cast<std::int64_t>(i);
    if (axis < 0) axis += rank;
    const std::int64_t before = (*widths)[i], after = (*widths)[i + axes];
    if (before < 0 || after < 0) return "a width is negative";
    if (axis < rank - 2 && (before != 0 || after != 0))
      return fmt::format("axis {} is padded, and only the last two are", axis);
  }
  return std::nullopt;
}

constexpr RuleText text(std::string_view code, std::string_view name, std::string_view what, std::string_view instead,
                        std::string_view file) {
  return refusal(code, name, what, "the builder does not write this form", instead, file);
}

const Rule kRules[] = {
    {.text =
         text("ORT060", "cast",
              "in neural networks any Cast but the one from an ArgMax to int32; in ML Programs the Cast of an input",
              "an ML Program from 1.21 on; no Cast of inputs", "cast_op_builder.cc"),
     .ops = {"Cast"},
     .check = cast},
    {.text = text("ORT061", "arg-max", "ArgMax of the last index, or read by a Cast to int32 and by something else",
                  "two ArgMax", "argmax_op_builder.cc"),
     .ops = {"ArgMax"},
     .check = arg_max},
    {.text = text("ORT062", "kernel-shape", "a kernel_shape that is not the weight's", "leave the attribute out",
                  "conv_op_builder.cc, convtranspose_op_builder.cc"),
     .ops = {"Conv", "ConvTranspose"},
     .check = kernel_shape},
    {.text =
         text("ORT063", "conv-transpose", "ConvTranspose with unequal pads, an output_shape, an output_padding or SAME",
              "explicit equal pads, and Slice behind", "convtranspose_op_builder.cc"),
     .ops = {"ConvTranspose"},
     .check = conv_transpose},
    {.text = text("ORT064", "pool", "a pooling with dilations, indices or one axis; in neural networks with ceil_mode",
                  "windows that fit", "pool_op_builder.cc"),
     .ops = {"AveragePool", "MaxPool"},
     .check = pool},
    {.text =
         text("ORT065", "gemm", "Gemm with transA, alpha or beta", "Transpose and Mul around it", "gemm_op_builder.cc"),
     .ops = {"Gemm"},
     .check = gemm},
    {.text = text("ORT066", "one-output", "a normalisation that gives more than its result", "compute the rest apart",
                  "batch_norm_op_builder.cc, normalization_op_builder.cc"),
     .ops = {"BatchNormalization", "InstanceNormalization", "GroupNormalization", "LayerNormalization"},
     .check = one_output},
    {.text = text("ORT067", "stash-type", "a normalisation that computes in another type than float", "stash_type 1",
                  "normalization_op_builder.cc"),
     .ops = {"GroupNormalization", "LayerNormalization"},
     .check = stash_type},
    {.text = text("ORT068", "empty-clip", "Clip to a single value", "a constant", "clip_op_builder.cc"),
     .ops = {"Clip"},
     .since = 21,
     .check = clip},
    {.text = text("ORT069", "reduce-noop", "a reduction with noop_with_empty_axes", "leave the attribute out",
                  "reduction_op_builder.cc"),
     .ops = {"ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd"},
     .format = Format::neural_network,
     .check = reduce},
    {.text = text("ORT070", "empty-slice", "Slice that leaves nothing", "leave it out", "slice_op_builder.cc"),
     .ops = {"Slice"},
     .check = slice},
    {.text = text("ORT071", "reshape-rank", "Reshape to a scalar, to rank 6 or more, or to an extent of 0",
                  "rank 1 to 5", "reshape_op_builder.cc"),
     .ops = {"Reshape"},
     .check = reshape},
    {.text = text("ORT072", "shape-range", "Shape of some axes; in ML Programs of none", "Slice or Gather behind it",
                  "shape_op_builder.cc"),
     .ops = {"Shape"},
     .check = shape_range},
    {.text = text("ORT073", "crd", "DepthToSpace in CRD order", "DCR, with the weights before it reordered",
                  "depthtospace_op_builder.cc"),
     .ops = {"DepthToSpace"},
     .format = Format::neural_network,
     .check = depth_to_space},
    {.text = text("ORT074", "grid-sample", "GridSample that is not bilinear, or reflects without align_corners",
                  "bilinear", "gridsample_op_builder.cc"),
     .ops = {"GridSample"},
     .check = grid_sample},
    {.text = text("ORT075", "pad", "Pad with reflection, with negative widths, or of other axes than the last two",
                  "zeros around the last two axes", "pad_op_builder.cc"),
     .ops = {"Pad"},
     .check = pad},
    {.text = text("ORT076", "spatial", "BatchNormalization by element, as opset 7 has it", "spatial 1",
                  "batch_norm_op_builder.cc"),
     .ops = {"BatchNormalization"},
     .check = spatial},
};

}  // namespace

std::span<const Rule> form_rules() { return kRules; }

}  // namespace anemone::plan::ort
