// What ONNX Runtime makes of a file before any optimisation.
#include "anemone/onnx/evaluate.h"
#include "anemone/plan/ort/level1_passes.h"

namespace anemone::plan::ort {
namespace {

template <class T>
const T* held(const Node& node, std::string_view name) {
  const onnx::Attribute* attribute = node.attribute(name);
  return attribute ? std::get_if<T>(&attribute->value) : nullptr;
}

/// Of a Constant node. A sparse value has its dense dims, and no elements here.
std::optional<Tensor> constant_value(const Node& node) {
  using onnx::DataType;
  const auto whole = [](std::vector<std::int64_t> dims, std::vector<std::int64_t> values) {
    return onnx::to_tensor({}, {DataType::int64, std::move(dims), std::move(values), {}});
  };
  const auto real = [](std::vector<std::int64_t> dims, std::vector<double> values) {
    return onnx::to_tensor({}, {DataType::float32, std::move(dims), {}, std::move(values)});
  };
  const auto length = [](const auto& list) {
    return std::vector<std::int64_t>{static_cast<std::int64_t>(list.size())};
  };
  if (const auto* tensors = held<std::vector<Tensor>>(node, "value"); tensors && tensors->size() == 1)
    return tensors->front();
  if (const auto* value = held<std::int64_t>(node, "value_int")) return whole({}, {*value});
  if (const auto* list = held<std::vector<std::int64_t>>(node, "value_ints")) return whole(length(*list), *list);
  if (const auto* value = held<float>(node, "value_float")) return real({}, {*value});
  if (const auto* list = held<std::vector<float>>(node, "value_floats"))
    return real(length(*list), {list->begin(), list->end()});
  Tensor tensor;
  if (const auto* sparse = held<std::vector<formats::onnxspec::SparseTensor>>(node, "sparse_value");
      sparse && !sparse->empty()) {
    tensor.dtype = sparse->front().values.dtype;
    tensor.dims = sparse->front().dims;
    return tensor;
  }
  tensor.dtype = DataType::string;
  if (const auto* list = held<std::vector<std::string>>(node, "value_strings")) {
    tensor.dims = length(*list);
    tensor.strings = *list;
    return tensor;
  }
  if (const auto* value = held<std::string>(node, "value_string")) {
    tensor.strings = {*value};
    return tensor;
  }
  return std::nullopt;
}

/// Functions of ONNX without a kernel on the CPU: loading puts their nodes in their place. Measured with 1.19.2 to 1.24.1.
bool expand_function(const Model& model, Node& node, Walk& walk) {
  Graph& graph = node.graph();
  Value* x = node.input(0);
  const auto value = [&]() -> Value& { return *graph.add_value(graph.free_name(node.output(0)->name())); };
  if (is(model, node, "HardSwish")) {
    Value& gate = value();
    Node& sigmoid = graph.add_node("HardSigmoid", {x}, {&gate}, &node);
    sigmoid.attributes.push_back({"alpha", onnx::Attribute::Kind::number, 1.0f / 6, {}, {}});
    add_instead(graph, "Mul", {x, &gate}, node, &node);
  } else if (is(model, node, "Mish")) {
    Value &soft = value(), &gate = value();
    graph.add_node("Softplus", {x}, {&soft}, &node);
    graph.add_node("Tanh", {&soft}, {&gate}, &node);
    add_instead(graph, "Mul", {x, &gate}, node, &node);
  } else if (is(model, node, "CastLike")) {
    const Value* like = node.input(1);
    if (!like || like->type.kind != onnx::Type::Kind::tensor) return false;
    Node& cast = add_instead(graph, "Cast", {x}, node, &node);
    cast.attributes.push_back(
        {"to", onnx::Attribute::Kind::integer, static_cast<std::int64_t>(like->type.dtype), {}, {}});
  } else {
    return false;
  }
  walk.erase(node);
  return true;
}

}  // namespace

void load_as_ort(Model& model) {
  infer_types(model, infer_options());  // CastLike asks for an element type
  Walk walk(*model.graph);
  while (Node* node = walk.next()) {
    if (expand_function(model, *node, walk)) continue;
    if (!is(model, *node, "Constant") || !node->output(0)) continue;
    std::optional<Tensor> tensor = constant_value(*node);
    if (!tensor) continue;
    Value& value = add_constant(*model.graph, node->output(0)->name(), *std::move(tensor));
    model.graph->replace_uses(*node->output(0), value);
    walk.erase(*node);
  }
}

}  // namespace anemone::plan::ort
