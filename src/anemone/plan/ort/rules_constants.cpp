// Operands that must be constants of the model.
#include <fmt/format.h>

#include "anemone/plan/ort/rules.h"

namespace anemone::plan::ort {
namespace {

using Reason = std::optional<std::string>;

/// Operands that the builder writes into the layer.
Reason not_constant(const Op& op, std::initializer_list<std::pair<std::size_t, std::string_view>> operands) {
  for (const auto& [input, what] : operands) {
    if (op.has(input) && !op.constant(input)) return fmt::format("{} is no constant", what);
  }
  return std::nullopt;
}

/// The same where the builder is content with any initialiser.
Reason no_initializer(const Op& op, std::initializer_list<std::pair<std::size_t, std::string_view>> operands) {
  for (const auto& [input, what] : operands) {
    if (op.has(input) && !op.initializer(input)) return fmt::format("{} is no constant", what);
  }
  return std::nullopt;
}

Reason weight(const Op& op) { return not_constant(op, {{1, "the weight"}}); }
Reason bias(const Op& op) { return not_constant(op, {{2, "the bias"}}); }
Reason gemm(const Op& op) { return not_constant(op, {{1, "B"}, {2, "C"}}); }
Reason slope(const Op& op) { return not_constant(op, {{1, "the slope"}}); }
Reason shape(const Op& op) { return not_constant(op, {{1, "the shape"}}); }
Reason axes(const Op& op) {
  if (op.version() <= 20) return no_initializer(op, {{1, "the list of axes"}});
  return not_constant(op, {{1, "the list of axes"}});
}
Reason parts(const Op& op) { return not_constant(op, {{1, "the list of parts"}}); }
Reason norm(const Op& op) { return not_constant(op, {{1, "the scale"}, {2, "the bias"}}); }
Reason bounds(const Op& op) { return not_constant(op, {{1, "starts"}, {2, "ends"}, {3, "axes"}, {4, "steps"}}); }
Reason batch_norm(const Op& op) {
  return no_initializer(op, {{1, "the scale"}, {2, "the bias"}, {3, "the mean"}, {4, "the variance"}});
}
Reason pad(const Op& op) {
  if (!op.has(2)) return "the value to pad with is not given";
  return no_initializer(op, {{1, "the list of widths"}, {2, "the value"}, {3, "the list of axes"}});
}

Reason clip(const Op& op) {
  if (op.since() < 11) return std::nullopt;
  if (Reason reason = not_constant(op, {{1, "min"}, {2, "max"}})) return reason;
  const bool floating = op.dtype(0) == DataType::float32 || op.dtype(0) == DataType::float16;
  if (floating || (!op.has(1) && !op.has(2))) return std::nullopt;
  return fmt::format("bounds of {}", formats::onnxspec::name_of(op.dtype(0)));
}

Reason resize(const Op& op) {
  if (op.has(3)) return not_constant(op, {{3, "the list of sizes"}});
  if (!op.has(2)) return "neither scales nor sizes are given";
  return not_constant(op, {{2, "the list of scales"}});
}

constexpr RuleText text(std::string_view code, std::string_view name, std::string_view what, std::string_view instead,
                        std::string_view file) {
  return refusal(code, name, what, "the builder writes it into the layer", instead, file);
}

const Rule kRules[] = {
    {.text =
         text("ORT040", "constant-weight", "a weight that comes at run time; in ML Programs Conv and MatMul take it",
              "weights in the model, or an ML Program", "conv_op_builder.cc, gemm_op_builder.cc"),
     .ops = {"Conv", "MatMul"},
     .format = Format::neural_network,
     .check = weight},
    {.text = text("ORT041", "constant-weight-transposed", "a weight of ConvTranspose that comes at run time",
                  "weights in the model", "convtranspose_op_builder.cc"),
     .ops = {"ConvTranspose"},
     .check = weight},
    {.text = text("ORT042", "constant-bias", "a bias that comes at run time", "Add behind the convolution",
                  "conv_op_builder.cc, convtranspose_op_builder.cc"),
     .ops = {"Conv", "ConvTranspose"},
     .check = bias},
    {.text = text("ORT043", "constant-gemm", "Gemm whose B or C comes at run time", "MatMul and Add, in an ML Program",
                  "gemm_op_builder.cc"),
     .ops = {"Gemm"},
     .check = gemm},
    {.text = text("ORT044", "constant-normalization", "a scale or bias of a normalisation that comes at run time",
                  "Mul and Add behind a normalisation with ones and zeros", "normalization_op_builder.cc"),
     .ops = {"InstanceNormalization", "GroupNormalization", "LayerNormalization"},
     .check = norm},
    {.text = text("ORT045", "constant-statistics", "a parameter of BatchNormalization that comes at run time",
                  "Mul and Add", "batch_norm_op_builder.cc"),
     .ops = {"BatchNormalization"},
     .check = batch_norm},
    {.text = text("ORT046", "constant-shape", "Reshape to a shape that is computed at run time",
                  "fixed sizes: the shape folds to a constant", "reshape_op_builder.cc"),
     .ops = {"Reshape"},
     .check = shape},
    {.text = text("ORT047", "constant-bounds", "Slice between bounds that are computed at run time",
                  "fixed sizes: the bounds fold to constants", "slice_op_builder.cc"),
     .ops = {"Slice"},
     .check = bounds},
    {.text = text("ORT048", "constant-axes", "axes that are computed at run time", "constants",
                  "reduction_op_builder.cc, squeeze_op_builder.cc"),
     .ops = {"ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd", "Squeeze", "Unsqueeze"},
     .check = axes},
    {.text = text("ORT049", "constant-parts", "Split into parts whose sizes are computed at run time", "constants",
                  "split_op_builder.cc"),
     .ops = {"Split"},
     .check = parts},
    {.text = text("ORT050", "constant-slope", "slopes of PRelu that come at run time", "constants",
                  "activation_op_builder.cc"),
     .ops = {"PRelu"},
     .check = slope},
    {.text = text("ORT051", "constant-clip", "bounds of Clip that come at run time",
                  "Min and Max are no way out: constants", "clip_op_builder.cc, shared/utils/utils.cc"),
     .ops = {"Clip"},
     .check = clip},
    {.text = text("ORT052", "constant-pad", "Pad by widths, or with a value, that come at run time or are left out",
                  "constants", "pad_op_builder.cc"),
     .ops = {"Pad"},
     .check = pad},
    {.text = text("ORT053", "constant-resize", "Resize by scales or to sizes that are computed at run time",
                  "scales in the model, and fixed sizes", "resize_op_builder.cc"),
     .ops = {"Resize"},
     .check = resize},
};

}  // namespace

std::span<const Rule> constant_rules() { return kRules; }

}  // namespace anemone::plan::ort
