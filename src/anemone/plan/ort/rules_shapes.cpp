// Extents that must be known, and ranks that must be so.
#include <fmt/format.h>

#include <algorithm>

#include "anemone/plan/ort/rules.h"

namespace anemone::plan::ort {
namespace {

using Reason = std::optional<std::string>;

Reason needs_static(const Op& op) {
  if (op.is_static(0)) return std::nullopt;
  return fmt::format("{} needs all extents of its operand, which is {}", op.node.op_type, shown(op.dims(0)));
}

Reason static_softmax(const Op& op) {
  if (op.version() >= 23 && op.since() >= 13) return std::nullopt;
  return needs_static(op);
}

Reason static_crd(const Op& op) { return op.node.text("mode", "DCR") == "CRD" ? needs_static(op) : std::nullopt; }

Reason rank_4(const Op& op) {
  const auto shape = op.dims(0);
  if (shape.size() == 4) return std::nullopt;
  return fmt::format("{} takes rank 4, and its operand is {}", op.node.op_type, shown(shape));
}

Reason rank_of_operand(const Op& op) {
  const auto shape = op.dims(0);
  const std::string_view type = op.node.op_type;
  const std::size_t rank = shape.size();
  const bool good = type == "LRN" || type == "PRelu" ? rank == 3 || rank == 4 : type == "Pad" ? rank >= 2 : rank >= 1;
  if (good) return std::nullopt;
  return fmt::format("{} does not take rank {}", type, rank);
}

Reason weight_rank(const Op& op) {
  const auto shape = op.dims(1);
  if (shape.size() == 3 || shape.size() == 4) return std::nullopt;
  return fmt::format("the weight is {}: only convolutions along one or two axes", shown(shape));
}

Reason matmul_rank(const Op& op) {
  const auto a = op.dims(0), b = op.dims(1);
  const bool good = op.ml_program() ? (a.size() == 1) == (b.size() == 1) : a.size() == 2 && b.size() == 2;
  if (good) return std::nullopt;
  return fmt::format("the operands are {} and {}", shown(a), shown(b));
}

Reason gather(const Op& op) {
  const auto x = op.dims(0), indices = op.dims(1);
  if (indices.empty()) return "the indices are a scalar";
  if (x.size() + indices.size() - 1 <= 5) return std::nullopt;
  return fmt::format("the result has rank {}", x.size() + indices.size() - 1);
}

Reason unsqueeze(const Op& op) {
  std::size_t added = op.node.integers("axes").size();
  if (op.has(1) && !op.dims(1).empty()) added = static_cast<std::size_t>(std::max<std::int64_t>((op.dims(1))[0], 0));
  if (op.dims(0).size() + added <= 5) return std::nullopt;
  return fmt::format("the result has rank {}", op.dims(0).size() + added);
}

Reason concat(const Op& op) {
  const auto shape = op.dims(0);
  if (shape.size() != 4) return fmt::format("the operands have rank {}, and 4 is asked", shape.size());
  const std::int64_t axis = op.node.integer("axis", 1);
  if (axis == 1 || axis == -3) return std::nullopt;
  return fmt::format("along axis {}, and only axis 1 is taken", axis);
}

Reason one_operand(const Op& op) {
  if (op.node.input_count() >= 2) return std::nullopt;
  return "of one operand";
}

Reason prelu(const Op& op) {
  const auto x = op.dims(0), slope = op.dims(1);
  const std::int64_t channels = x[x.size() - 3];
  if (channels < 0) return "the number of channels is not known";
  const auto count = formats::onnxspec::element_count(slope);
  const bool per_channel = slope.size() == 3 && slope[1] == 1 && slope[2] == 1;
  if (count != 1 && !per_channel) return fmt::format("the slope is {}: one, or [C,1,1]", shown(slope));
  if (count == 1 && channels == 1) return "one slope for one channel";
  return std::nullopt;
}

Reason split(const Op& op) {
  const auto shape = op.dims(0);
  std::int64_t axis = op.node.integer("axis", 0);
  if (axis < 0) axis += static_cast<std::int64_t>(shape.size());
  if (axis < 0 || axis >= static_cast<std::int64_t>(shape.size())) return "the axis is outside the rank";
  const std::int64_t extent = shape[static_cast<std::size_t>(axis)];
  if (op.has(1)) {
    if (op.version() <= 20) return "before 1.21 a fault refuses every Split that says the sizes of its parts";
    if (!op.constant(1)) return std::nullopt;  // ORT049 says so
    const auto parts = op.integers(1);
    if (!parts || parts->size() < 2) return "into fewer than two parts";
    std::int64_t sum = 0;
    for (const std::int64_t part : *parts) sum += part;
    if (sum != extent)
      return fmt::format("the parts are {} of {}", sum, extent < 0 ? "an unknown extent" : std::to_string(extent));
    return std::find(parts->begin(), parts->end(), 0) == parts->end() ? std::nullopt : Reason("a part is empty");
  }
  if (op.since() < 18) return std::nullopt;
  const std::int64_t parts = op.node.integer("num_outputs", 0);
  if (parts >= 2 && parts == static_cast<std::int64_t>(op.node.output_count()) && parts <= extent) return std::nullopt;
  return fmt::format("{} parts of extent {}", parts, extent < 0 ? "?" : std::to_string(extent));
}

Reason gemm_bias(const Op& op) {
  if (!op.has(2)) return std::nullopt;
  const auto b = op.dims(1), c = op.dims(2);
  const std::int64_t n = b.size() == 2 ? b[op.node.integer("transB", 0) != 0 ? 0 : 1] : -1;
  const bool good =
      c.empty() || (c.size() == 1 && (c[0] == 1 || c[0] == n)) || (c.size() == 2 && c[0] == 1 && c[1] == n);
  if (good) return std::nullopt;
  return fmt::format("C is {}, and not one row of {}", shown(c), n);
}

const Rule kRules[] = {
    {.text = refusal("ORT020", "static-operand", "Reshape or Slice of an operand with an unknown extent",
                     "the builder computes the result's shape", "a fixed batch and fixed sizes",
                     "reshape_op_builder.cc, slice_op_builder.cc"),
     .ops = {"Reshape", "Slice"},
     .check = needs_static},
    {.text = refusal("ORT021", "static-softmax",
                     "Softmax of an operand with an unknown extent; from 1.23 on only as opsets before 13 define it",
                     "the old definition flattens", "a fixed batch, or opset 13 and 1.23", "softmax_op_builder.cc"),
     .ops = {"Softmax"},
     .check = static_softmax},
    {.text = refusal("ORT022", "static-depth-to-space", "DepthToSpace in CRD order with an unknown extent",
                     "it is written as Reshape and Transpose", "a fixed batch and fixed sizes",
                     "depthtospace_op_builder.cc"),
     .ops = {"DepthToSpace"},
     .format = Format::ml_program,
     .check = static_crd},
    {.text = refusal("ORT023", "rank-4", "an operand of another rank than 4", "these layers are two-dimensional",
                     "Reshape or Unsqueeze to [N,C,H,W]",
                     "batch_norm_op_builder.cc, pool_op_builder.cc, gridsample_op_builder.cc"),
     .ops = {"BatchNormalization", "AveragePool", "MaxPool", "GlobalAveragePool", "GlobalMaxPool", "GridSample"},
     .check = rank_4},
    {.text = refusal(
         "ORT024", "operand-rank", "a scalar, or a rank that the layer does not have",
         "LRN and PRelu take rank 3 or 4, Pad 2 and more, the others 1 and more", "another rank",
         "activation_op_builder.cc, LRN_op_builder.cc, pad_op_builder.cc, flatten_op_builder.cc, reshape_op_builder.cc"),
     .ops = {"LRN", "PRelu", "Pad", "Flatten", "Reshape"},
     .check = rank_of_operand},
    {.text = refusal("ORT025", "weight-rank", "a convolution along three axes", "one or two are written",
                     "two-dimensional convolutions", "conv_op_builder.cc"),
     .ops = {"Conv"},
     .check = weight_rank},
    {.text = refusal("ORT026", "matmul-rank",
                     "in neural networks a product of other ranks than 2; in ML Programs a vector with a matrix",
                     "the builder transposes and reshapes nothing", "Reshape around it", "gemm_op_builder.cc"),
     .ops = {"MatMul"},
     .check = matmul_rank},
    {.text = refusal("ORT027", "gather", "Gather with a scalar index, or with a result of rank 6",
                     "Core ML's gather keeps the axis of the indices", "indices of rank 1, then Squeeze",
                     "gather_op_builder.cc"),
     .ops = {"Gather"},
     .check = gather},
    {.text = refusal("ORT028", "unsqueeze", "Unsqueeze to rank 6 or more", "Core ML takes rank 5 at most", "fold axes",
                     "squeeze_op_builder.cc"),
     .ops = {"Unsqueeze"},
     .check = unsqueeze},
    {.text = refusal("ORT029", "concat-axis", "Concat of another rank than 4, or along another axis than 1",
                     "neural networks concatenate channels of images", "Reshape to rank 4, or an ML Program",
                     "concat_op_builder.cc"),
     .ops = {"Concat"},
     .format = Format::neural_network,
     .check = concat},
    {.text = refusal("ORT030", "concat-one", "Concat of one operand", "the layer takes two and more", "leave it out",
                     "concat_op_builder.cc"),
     .ops = {"Concat"},
     .check = one_operand},
    {.text = refusal("ORT031", "prelu-slope", "PRelu with other slopes than one, or one a channel",
                     "the layer has a vector of slopes", "slopes [C,1,1]", "activation_op_builder.cc"),
     .ops = {"PRelu"},
     .check = prelu},
    {.text = refusal("ORT032", "split", "Split whose parts are fewer than two, empty, or not known to fill the axis",
                     "the layer's sizes are written down; up to 1.20 a fault refuses all Splits with sizes",
                     "Slice, or 1.21", "split_op_builder.cc"),
     .ops = {"Split"},
     .check = split},
    {.text = refusal("ORT033", "gemm-bias", "Gemm whose C is more than one row", "the layer's bias is a vector",
                     "Add behind it", "gemm_op_builder.cc"),
     .ops = {"Gemm"},
     .check = gemm_bias},
};

}  // namespace

std::span<const Rule> shape_rules() { return kRules; }

}  // namespace anemone::plan::ort
