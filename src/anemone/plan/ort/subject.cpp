// The operations with a builder, and questions about a node.
#include "anemone/plan/ort/subject.h"

#include <algorithm>
#include <unordered_map>

#include "anemone/onnx/infer.h"
#include "anemone/onnx/opsets.h"

namespace anemone::plan::ort {
namespace {

/// From op_builder_factory.cc and the builders of the releases 1.19.2 to 1.23; 1.24 from its pull requests.
constexpr Builder kBuilders[] = {
    {"Add", 19, 19, 7},
    {"ArgMax", 19, 21},
    {"AveragePool", 19, 19},
    {"BatchNormalization", 19, 21, 7},
    {"Cast", 19, 21, 1, Types::cast},
    {"Clip", 19, 19},
    {"Concat", 19, 19},
    {"Conv", 19, 19},
    {"ConvTranspose", 0, 19},
    {"DepthToSpace", 19, 19},
    {"Div", 19, 19, 7},
    {"Elu", 0, 24, 6},
    {"Erf", 0, 21},
    {"Exp", 0, 24},
    {"Flatten", 19, 0},
    {"Gather", 19, 22, 1, Types::gather},
    {"Gelu", 0, 21, 6},
    {"Gemm", 19, 19},
    {"GlobalAveragePool", 19, 19},
    {"GlobalMaxPool", 19, 19},
    {"GridSample", 0, 19},
    {"GroupNormalization", 0, 21, 1, Types::normalization},
    {"InstanceNormalization", 0, 21, 1, Types::normalization},
    {"LRN", 19, 0},
    {"LayerNormalization", 0, 21, 1, Types::normalization},
    {"LeakyRelu", 19, 19, 6},
    {"MatMul", 19, 19},
    {"Max", 0, 21, 7},
    {"MaxPool", 19, 19},
    {"Mul", 19, 19, 7},
    {"PRelu", 19, 21, 6},
    {"Pad", 19, 0, 11},
    {"Pow", 19, 19, 7, Types::pow},
    {"Reciprocal", 19, 20},
    {"ReduceMax", 0, 21},
    {"ReduceMean", 19, 21},
    {"ReduceMin", 0, 21},
    {"ReduceProd", 0, 21},
    {"ReduceSum", 19, 21},
    {"Relu", 19, 19, 6},
    {"Reshape", 19, 19, 5},
    {"Resize", 19, 19, 11},
    {"Round", 0, 21},
    {"Shape", 19, 21, 1, Types::shape},
    {"Sigmoid", 19, 19, 6},
    {"Slice", 19, 19, 10, Types::slice},
    {"Softmax", 19, 21},
    {"Softplus", 0, 24},
    {"Split", 19, 19, 13},
    {"Sqrt", 19, 20},
    {"Squeeze", 19, 21},
    {"Sub", 19, 19, 7},
    {"Tanh", 19, 19, 6},
    {"Transpose", 19, 19},
    {"Unsqueeze", 0, 21},
};

}  // namespace

const Builder* find_builder(std::string_view op) {
  static const std::unordered_map<std::string_view, const Builder*> kByName = [] {
    std::unordered_map<std::string_view, const Builder*> map;
    for (const Builder& builder : kBuilders) map.emplace(builder.op, &builder);
    return map;
  }();
  const auto found = kByName.find(op);
  return found == kByName.end() ? nullptr : found->second;
}

std::int64_t Op::since() const { return onnx::since_version(node.op_type, model().opset()); }

DataType Op::dtype(std::size_t input) const {
  const Value* value = node.input(input);
  return value && value->type.kind == onnx::Type::Kind::tensor ? value->type.dtype : DataType::undefined;
}

std::optional<std::vector<std::int64_t>> Op::shape(std::size_t input) const {
  const Value* value = node.input(input);
  if (!value || value->type.kind != onnx::Type::Kind::tensor || !value->type.shape) return std::nullopt;
  std::vector<std::int64_t> dims;
  for (const onnx::Dimension& dimension : *value->type.shape) dims.push_back(onnx::extent(dimension));
  return dims;
}

bool Op::is_static(std::size_t input) const {
  const auto dims = shape(input);
  return dims && std::find(dims->begin(), dims->end(), -1) == dims->end();
}

std::string shown(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (const std::int64_t n : shape) text += (text.size() > 1 ? "," : "") + (n < 0 ? "?" : std::to_string(n));
  return text + "]";
}

}  // namespace anemone::plan::ort
