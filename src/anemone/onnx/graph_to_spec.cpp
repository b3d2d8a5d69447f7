// Graph -> structs of a file.
#include <algorithm>

#include "anemone/onnx/graph.h"

namespace anemone::onnx {
namespace {

onnxspec::ValueInfo info_of(const Value& value) {
  onnxspec::ValueInfo info;
  info.name = value.name();
  if (value.type.kind != Type::Kind::none) info.type = value.type;
  info.doc = value.doc;
  return info;
}

onnxspec::Graph spec_of(const Graph& graph);

onnxspec::Node spec_of(const Node& node) {
  onnxspec::Node spec;
  for (std::size_t i = 0; i < node.input_count(); ++i)
    spec.inputs.push_back(node.input(i) ? node.input(i)->name() : "");
  for (std::size_t i = 0; i < node.output_count(); ++i) {
    spec.outputs.push_back(node.output(i) ? node.output(i)->name() : "");
  }
  spec.name = node.name;
  spec.op_type = node.op_type;
  spec.domain = node.domain;
  spec.overload = node.overload;
  spec.doc = node.doc;
  spec.metadata = node.metadata;
  spec.attributes = node.attributes;
  for (std::size_t i = 0; i < node.bodies.size(); ++i) {
    const auto& [name, body] = node.bodies[i];
    if (i > 0 && node.bodies[i - 1].first == name) {  // one attribute with several graphs
      spec.attributes.back().kind = Attribute::Kind::graphs;
    } else {
      Attribute& attribute = spec.attributes.emplace_back();
      attribute.name = name;
      attribute.kind = Attribute::Kind::graph;
      attribute.value = std::vector<onnxspec::Graph>();
    }
    std::get<std::vector<onnxspec::Graph>>(spec.attributes.back().value).push_back(spec_of(*body));
  }
  return spec;
}

onnxspec::Graph spec_of(const Graph& graph) {
  onnxspec::Graph spec;
  spec.name = graph.name;
  spec.doc = graph.doc;
  spec.metadata = graph.metadata;
  spec.quantization = graph.quantization;
  for (const auto& node : graph.nodes()) spec.nodes.push_back(spec_of(*node));
  for (const Value* input : graph.inputs()) spec.inputs.push_back(info_of(*input));
  for (const Value* output : graph.outputs()) spec.outputs.push_back(info_of(*output));
  for (const auto& value : graph.values()) {
    if (value->tensor) spec.initializers.push_back(*value->tensor);
    if (value->sparse) spec.sparse_initializers.push_back(*value->sparse);
    const bool is_output =
        std::any_of(value->uses().begin(), value->uses().end(), [](const Use& u) { return !u.node; });
    if (value->producer() && !is_output && value->type.kind != Type::Kind::none)
      spec.value_infos.push_back(info_of(*value));
  }
  return spec;
}

}  // namespace

onnxspec::Model to_spec(const Model& model) {
  onnxspec::Model spec;
  spec.ir_version = model.ir_version;
  spec.model_version = model.model_version;
  spec.producer_name = model.producer_name;
  spec.producer_version = model.producer_version;
  spec.domain = model.domain;
  spec.doc = model.doc;
  for (const auto& [domain, version] : model.opsets) spec.opset_imports.push_back({domain, version});
  spec.graph = spec_of(*model.graph);
  spec.functions = model.functions;
  spec.metadata = model.metadata;
  return spec;
}

}  // namespace anemone::onnx
