// Edges between nodes, found in the use lists.
#include "anemone/plan/ort/edges.h"

#include <algorithm>

#include "anemone/onnx/evaluate.h"
#include "anemone/onnx/infer.h"
#include "anemone/onnx/opsets.h"

namespace anemone::plan::ort {

Node* reader_in(const Graph& graph, const onnx::Use& use) {
  Node* node = use.node;
  while (node && &node->graph() != &graph) node = node->graph().owner();
  return node;
}

std::vector<Node*> readers(const Value& value) {
  std::vector<Node*> all;
  std::vector<Node*> through_bodies;
  for (const onnx::Use& use : value.uses()) {
    Node* reader = reader_in(value.graph(), use);
    if (!reader) continue;
    if (reader != use.node) {
      if (std::find(through_bodies.begin(), through_bodies.end(), reader) != through_bodies.end()) continue;
      through_bodies.push_back(reader);
    }
    all.push_back(reader);
  }
  return all;
}

namespace {

/// Without a list where no body reads, which is nearly always.
std::size_t edges_of_value(const Value& value) {
  std::size_t count = 0;
  for (const onnx::Use& use : value.uses()) {
    if (use.node && &use.node->graph() != &value.graph()) return readers(value).size();
    count += use.node != nullptr;
  }
  return count;
}

}  // namespace

std::size_t edges_out(const Node& node) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < node.output_count(); ++i) {
    if (node.output(i)) count += edges_of_value(*node.output(i));
  }
  return count;
}

std::size_t edges_in(const Node& node) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < node.input_count(); ++i) count += producer(node, i) != nullptr;
  return count;
}

Node* only_reader(const Node& node) {
  if (edges_out(node) != 1) return nullptr;
  Node* only = nullptr;
  for (std::size_t i = 0; i < node.output_count(); ++i) {
    if (!node.output(i)) continue;
    for (Node* reader : readers(*node.output(i))) {
      if (only) return nullptr;
      only = reader;
    }
  }
  return only;
}

Node* producer(const Node& node, std::size_t input) {
  const Value* value = node.input(input);
  return value ? value->producer() : nullptr;
}

bool is_captured(const Value& value) {
  return std::any_of(value.uses().begin(), value.uses().end(),
                     [&](const onnx::Use& use) { return use.node && &use.node->graph() != &value.graph(); });
}

bool is_graph_output(const Value& value) {
  return std::any_of(value.uses().begin(), value.uses().end(), [](const onnx::Use& use) { return !use.node; });
}

bool gives_graph_output(const Node& node) {
  for (std::size_t i = 0; i < node.output_count(); ++i) {
    if (node.output(i) && is_graph_output(*node.output(i))) return true;
  }
  return false;
}

bool has_edges_out(const Node& node, std::size_t count) {
  return !gives_graph_output(node) && edges_out(node) == count;
}

bool is(const Model& model, const Node& node, std::string_view op, std::initializer_list<int> since) {
  if (node.op_type != op || !node.domain.empty()) return false;
  if (since.size() == 0) return true;
  const std::int64_t version = onnx::since_version(op, model.opset());
  return std::find(since.begin(), since.end(), version) != since.end();
}

const Tensor* constant(const Model& model, const Value* value) {
  return value && value->tensor && model.is_constant(*value) ? value->tensor.get() : nullptr;
}

std::optional<double> scalar(const Model& model, const Value* value) {
  const Tensor* tensor = constant(model, value);
  const auto array = tensor ? onnx::read_array(*tensor) : std::nullopt;
  if (!array || array->size() != 1) return std::nullopt;
  return array->is_real() ? array->real[0] : static_cast<double>(array->whole[0]);
}

std::optional<std::vector<std::int64_t>> integers(const Model& model, const Value* value) {
  const Tensor* tensor = constant(model, value);
  return tensor ? onnx::read_integers(*tensor) : std::nullopt;
}

void erase(Node& node) { node.graph().erase(node); }

Value& add_constant(Graph& graph, const std::string& stem, Tensor tensor) {
  Value& value = *graph.add_value(graph.free_name(stem));
  value.type.kind = onnx::Type::Kind::tensor;
  value.type.dtype = tensor.dtype;
  auto& shape = value.type.shape.emplace();
  for (const std::int64_t n : tensor.dims) shape.push_back(onnx::known_extent(n));
  tensor.name = value.name();
  value.tensor = std::make_unique<Tensor>(std::move(tensor));
  return value;
}

Tensor integer_tensor(const std::vector<std::int64_t>& values) {
  return onnx::to_tensor({}, {onnx::DataType::int64, {static_cast<std::int64_t>(values.size())}, values, {}});
}

}  // namespace anemone::plan::ort
