// What the provider asks of every node, whatever its operation.
#include <fmt/format.h>

#include <algorithm>

#include "anemone/plan/ort/rules.h"

namespace anemone::plan::ort {
namespace {

using Reason = std::optional<std::string>;

constexpr std::string_view kBase = "builders/impl/base_op_builder.cc";
constexpr std::string_view kHelper = "builders/helper.cc";

int first_version(const Builder& builder) {
  if (builder.neural_network == 0) return builder.ml_program;
  if (builder.ml_program == 0) return builder.neural_network;
  return std::min(builder.neural_network, builder.ml_program);
}

Reason no_builder(const Op& op) {
  if (!op.builder) return fmt::format("the provider has no builder for {}", op.node.op_type);
  if (op.version() >= first_version(*op.builder)) return std::nullopt;
  return fmt::format("the provider has a builder for {} from 1.{} on", op.node.op_type, first_version(*op.builder));
}

Reason other_format(const Op& op) {
  const int since = op.ml_program() ? op.builder->ml_program : op.builder->neural_network;
  const std::string_view format = op.ml_program() ? "ML Programs" : "neural networks";
  if (since == 0) return fmt::format("{} is not written into {}", op.node.op_type, format);
  if (op.version() >= since) return std::nullopt;
  return fmt::format("{} is written into {} from 1.{} on", op.node.op_type, format, since);
}

Reason opset(const Op& op) {
  const std::int64_t since = op.node.domain.empty() ? op.since() : 1;
  const int newest = op.version() <= 22 ? 21 : op.version() == 23 ? 24 : 25;
  if (since >= op.builder->min_opset && since <= newest) return std::nullopt;
  return fmt::format("{} as of opset {}; the builder takes {} to {}", op.node.op_type, since, op.builder->min_opset,
                     newest);
}

template <class Check>
Reason first_operand(const Op& op, Check&& check) {
  for (std::size_t i = 0; i < op.node.input_count(); ++i) {
    if (!op.has(i)) continue;
    if (Reason reason = check(i)) return reason;
  }
  return std::nullopt;
}

Reason no_shape(const Op& op) {
  return first_operand(op, [&](std::size_t i) -> Reason {
    if (op.shape(i)) return std::nullopt;
    return fmt::format("the rank of operand {} is not known", i);
  });
}

Reason empty_operand(const Op& op) {
  if (op.node.op_type == "Resize") return std::nullopt;  // its optional operands are empty tensors
  return first_operand(op, [&](std::size_t i) -> Reason {
    const auto shape = op.dims(i);
    if (std::find(shape.begin(), shape.end(), 0) == shape.end()) return std::nullopt;
    return fmt::format("operand {} {} has no elements", i, shown(shape));
  });
}

Reason rank(const Op& op) {
  return first_operand(op, [&](std::size_t i) -> Reason {
    if (op.dims(i).size() <= 5) return std::nullopt;
    return fmt::format("operand {} has rank {}, and 5 is the most", i, op.dims(i).size());
  });
}

Reason extent_in(const std::vector<std::int64_t>& shape, std::string_view what) {
  constexpr std::int64_t kMost = 16384;
  if (std::none_of(shape.begin(), shape.end(), [](std::int64_t n) { return n > kMost; })) return std::nullopt;
  return fmt::format("{} {} has an extent above {}", what, shown(shape), kMost);
}

Reason extent_of_operands(const Op& op) {
  return first_operand(op, [&](std::size_t i) { return extent_in(op.dims(i), fmt::format("operand {}", i)); });
}

Reason extent_of_convolution(const Op& op) {
  for (const std::size_t i : {1, 0}) {
    if (Reason reason = extent_in(op.dims(i), i == 0 ? "the input" : "the weight")) return reason;
  }
  if (op.node.op_type != "Conv") return std::nullopt;
  const onnx::Value* output = op.node.output(0);
  if (!output || !output->type.shape) return "the shape of the result is not known";
  std::vector<std::int64_t> shape;
  for (const onnx::Dimension& n : *output->type.shape) shape.push_back(onnx::extent(n));
  return extent_in(shape, "the result");
}

bool is_plain(const Op& op, DataType dtype) {
  if (dtype == DataType::float32) return true;
  if (!op.ml_program()) return false;
  if (dtype == DataType::int64) return op.version() >= 24;
  return dtype == DataType::float16 && (op.version() == 20 || op.version() == 21 || op.version() >= 24);
}

Reason element_type(const Op& op) {
  const DataType x = op.dtype(0), y = op.dtype(1);
  const bool half = x == DataType::float16, whole = x == DataType::int64;
  const auto refuse = [&](DataType dtype, std::size_t input) -> Reason {
    return fmt::format("operand {} is {}", input, formats::onnxspec::name_of(dtype));
  };
  switch (op.builder->types) {
    case Types::plain:
      return is_plain(op, x) ? std::nullopt : refuse(x, 0);
    case Types::pow:
      if (!is_plain(op, x)) return refuse(x, 0);
      return x == y ? std::nullopt : refuse(y, 1);
    case Types::gather:
      if (x == DataType::float32 || whole || (half && op.ml_program() && op.version() >= 24)) return std::nullopt;
      return refuse(x, 0);
    case Types::slice:
      if (x == DataType::float32 || whole || (half && op.ml_program() && op.version() >= 20)) return std::nullopt;
      return refuse(x, 0);
    case Types::shape:
      if (x == DataType::float32) return std::nullopt;
      if (op.ml_program() && (half || x == DataType::int32 || (whole && op.version() >= 23))) return std::nullopt;
      return refuse(x, 0);
    case Types::normalization:
      for (const std::size_t i : {1, 2}) {
        if (op.has(i) && op.dtype(i) != x) return refuse(op.dtype(i), i);
      }
      return x == DataType::float32 || half ? std::nullopt : refuse(x, 0);
    case Types::cast:
      break;
  }
  const auto castable = [](DataType dtype) {
    return dtype == DataType::float32 || dtype == DataType::float16 || dtype == DataType::int32 ||
           dtype == DataType::int64;
  };
  if (!op.ml_program()) return whole ? std::nullopt : refuse(x, 0);
  if (!castable(x)) return refuse(x, 0);
  const auto to = static_cast<DataType>(op.node.integer("to", 0));
  if (!castable(to)) return fmt::format("the result is {}", formats::onnxspec::name_of(to));
  return std::nullopt;
}

Reason external_data(const Op& op) {
  return first_operand(op, [&](std::size_t i) -> Reason {
    const onnx::Value* value = op.node.input(i);
    if (!value->tensor || !value->tensor->external) return std::nullopt;
    return fmt::format("operand {} lies in another file", i);
  });
}

const Rule kRules[] = {
    {.text = {.code = "ORT001",
              .name = "no-builder",
              .what = "an operation that the provider does not know",
              .why = "each operation needs a builder, and only some sixty have one",
              .instead = "say it with operations that have one",
              .effect = Effect::leaves_provider,
              .severity = "error",
              .trust = Trust::documented,
              .source = "builders/op_builder_factory.cc"},
     .check = no_builder,
     .advises_by_op = true},
    {.text = {.code = "ORT002",
              .name = "other-format",
              .what = "an operation with a builder for the other model format only",
              .why = "each builder says for which format it can write",
              .instead = "the other format, or a newer release",
              .effect = Effect::leaves_provider,
              .severity = "error",
              .trust = Trust::documented,
              .source = kBase},
     .check = other_format,
     .advises_by_op = true},
    {.text = {.code = "ORT003",
              .name = "opset",
              .what = "an operation as an opset defines it that the builder does not take",
              .why = "builders name the first and the last opset they were written for",
              .instead = "export with another opset",
              .effect = Effect::leaves_provider,
              .severity = "error",
              .trust = Trust::documented,
              .source = kBase},
     .check = opset},
    {.text = {.code = "ORT004",
              .name = "no-shape",
              .what = "an operand of which not even the rank is known",
              .why = "ONNX Runtime infers no shape behind GreaterOrEqual and LessOrEqual before opset 16, nor behind "
                     "what it does not know; everything downstream inherits that",
              .instead = "Greater or Less with Not, a newer opset, or shapes written into the file",
              .effect = Effect::leaves_provider,
              .severity = "error",
              .trust = Trust::measured,
              .source = kHelper},
     .check = no_shape},
    {.text = {.code = "ORT005",
              .name = "empty-operand",
              .what = "an operand without elements",
              .why = "Core ML has no empty tensors",
              .instead = "leave the operand out",
              .effect = Effect::leaves_provider,
              .severity = "error",
              .trust = Trust::documented,
              .source = kHelper},
     .check = empty_operand},
    {.text = {.code = "ORT006",
              .name = "rank",
              .what = "an operand of rank 6 or more",
              .why = "Core ML's layers take rank 5 at most",
              .instead = "fold axes together around the operation",
              .effect = Effect::leaves_provider,
              .severity = "error",
              .trust = Trust::documented,
              .source = kHelper},
     .check = rank},
    {.text = {.code = "ORT007",
              .name = "extent",
              .what = "an operand, weights included, with an extent above 16384",
              .why = "the limit of the GPU's textures",
              .instead = "tile it, or 1.23, where only convolutions ask",
              .effect = Effect::leaves_provider,
              .severity = "error",
              .trust = Trust::documented,
              .source = kHelper},
     .until = 22,
     .check = extent_of_operands},
    {.text = {.code = "ORT008",
              .name = "convolution-extent",
              .what = "a convolution whose input, weight or result has an extent above 16384",
              .why = "the limit of the GPU's textures",
              .instead = "tile it",
              .effect = Effect::leaves_provider,
              .severity = "error",
              .trust = Trust::documented,
              .source = "builders/impl/conv_op_builder.cc"},
     .ops = {"Conv", "ConvTranspose"},
     .since = 23,
     .check = extent_of_convolution},
    {.text = {.code = "ORT009",
              .name = "element-type",
              .what =
                  "an element type that the builder does not take: float everywhere; float16 in ML Programs, but not "
                  "in 1.19, and on a Mac not in 1.22 and 1.23; int64 in ML Programs from 1.24 on; never bool",
              .why = "the check of 1.22 and 1.23 asks for the macOS and the iOS SDK at once, so a Mac's build never "
                     "passes it",
              .instead = "float32 tensors; integers only where they are constants",
              .effect = Effect::leaves_provider,
              .severity = "error",
              .trust = Trust::measured,
              .source = "builders/impl/base_op_builder.cc; the shipped libraries of 1.22.0 and 1.23.2"},
     .check = element_type},
    {.text = {.code = "ORT010",
              .name = "external-data",
              .what = "an operand whose data lie in a file beside the model",
              .why = "the provider reads no external files before 1.23",
              .instead = "write the weights into the model",
              .effect = Effect::leaves_provider,
              .severity = "error",
              .trust = Trust::documented,
              .source = kBase},
     .until = 22,
     .check = external_data},
};

constexpr std::pair<std::string_view, std::string_view> kInstead[] = {
    {"ConstantOfShape", "a constant: fixed sizes"},
    {"ConvTranspose", "Resize and Conv, or an ML Program"},
    {"Equal", "Sub, Abs and Clip: a ramp as narrow as float16 tells apart"},
    {"Expand", "nothing: arithmetic broadcasts; fixed sizes"},
    {"Greater", "Add, then Mul and Clip to 0 … 1 twice: a gate, exact in float; 'export --for ort-coreml' writes it"},
    {"HardSigmoid", "Mul, Add and Clip to 0 … 1"},
    {"HardSwish", "x * Clip(x / 6 + 0.5, 0, 1)"},
    {"Identity", "leave it out"},
    {"InstanceNormalization", "ReduceMean, Sub, Mul, ReduceMean, Add, Sqrt, Div, or an ML Program from 1.21 on"},
    {"Less", "Add, then Mul and Clip to 0 … 1 twice: a gate, exact in float; 'export --for ort-coreml' writes it"},
    {"Min", "Clip, where one operand is a constant"},
    {"Neg", "Mul by -1"},
    {"Range", "a constant: fixed sizes"},
    {"ReduceMax", "GlobalMaxPool, or an ML Program from 1.21 on"},
    {"Tile", "Concat, or nothing: arithmetic broadcasts; fixed sizes"},
    {"Unsqueeze", "Reshape, or an ML Program from 1.21 on"},
    {"Upsample", "Resize: a newer opset"},
    {"Where", "Mul by a gate of 0 and 1 that Clip makes"},
};

}  // namespace

std::string_view instead_of(std::string_view op) {
  for (const auto& [name, instead] : kInstead) {
    if (name == op) return instead;
  }
  return {};
}

std::span<const Rule> general_rules() { return kRules; }

}  // namespace anemone::plan::ort
