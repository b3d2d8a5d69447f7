// Casts at the border.
#include "anemone/backends/onnx/interface.h"

#include "anemone/backends/onnx/emit.h"

namespace anemone::onnx::exporting {
namespace {

Node& add_cast(Graph& graph, Value& from, Value& to, const Node* before) {
  Node& node = graph.add_node("Cast", {&from}, {&to}, before);
  node.name = to.name() + "_cast";
  node.attributes = {attr("to", static_cast<std::int64_t>(to.type.dtype))};
  return node;
}

}  // namespace

void take_and_give_float(Model& model) {
  Graph& graph = *model.graph;
  const Node* first = graph.nodes().empty() ? nullptr : graph.nodes().front().get();
  for (Value* input : graph.inputs()) {
    if (input->type.dtype != DataType::float16) continue;
    Value* half = graph.add_value(graph.free_name(input->name() + "_half"));
    half->type = input->type;
    graph.replace_uses(*input, *half);
    input->type.dtype = DataType::float32;
    add_cast(graph, *input, *half, first);
  }
  for (std::size_t i = 0; i < graph.outputs().size(); ++i) {
    Value* output = graph.outputs()[i];
    if (output->type.dtype != DataType::float16) continue;
    // The name stays with the output, and names do not change: what made it makes another value.
    Value* half = graph.add_value(graph.free_name(output->name() + "_half"));
    half->type = output->type;
    graph.move_producer(*output, *half);
    graph.replace_uses(*output, *half);
    graph.set_output(i, *output);
    output->type.dtype = DataType::float32;
    add_cast(graph, *half, *output, nullptr);
  }
}

}  // namespace anemone::onnx::exporting
