#pragma once
// The graph as ONNX Runtime sees it: edges run from node to node only, outputs of the graph are none; what the bodies of
// a node capture are edges into that node.
#include <initializer_list>
#include <string_view>
#include <vector>

#include "anemone/onnx/graph.h"

namespace anemone::plan::ort {

using onnx::Graph;
using onnx::Model;
using onnx::Node;
using onnx::Tensor;
using onnx::Value;

/// The node of `graph` that reads: the reader itself, or the node in whose body it stands. Null: an output.
Node* reader_in(const Graph& graph, const onnx::Use& use);

std::vector<Node*> readers(const Value& value);  ///< once an edge
std::size_t edges_out(const Node& node);
std::size_t edges_in(const Node& node);
Node* only_reader(const Node& node);  ///< of the only edge out; null when there are none, or several
Node* producer(const Node& node, std::size_t input);
bool is_captured(const Value& value);  ///< by a body

bool is_graph_output(const Value& value);
bool gives_graph_output(const Node& node);
/// An edge leaves one output at most, no output of the graph among them.
bool has_edges_out(const Node& node, std::size_t count);

/// An operation of ai.onnx; with `since`, as one of these opsets defines it.
bool is(const Model& model, const Node& node, std::string_view op, std::initializer_list<int> since = {});

/// An initialiser that nobody can replace: null otherwise.
const Tensor* constant(const Model& model, const Value* value);
inline const Tensor* constant(const Model& model, const Node& node, std::size_t input) {
  return constant(model, node.input(input));
}
/// The only element of a constant.
std::optional<double> scalar(const Model& model, const Value* value);
std::optional<std::vector<std::int64_t>> integers(const Model& model, const Value* value);

/// Nodes and values go only when nothing holds them: takes the node's uses away from it and erases it.
void erase(Node& node);
/// A new initialiser.
Value& add_constant(Graph& graph, const std::string& stem, Tensor tensor);
Tensor integer_tensor(const std::vector<std::int64_t>& values);

}  // namespace anemone::plan::ort
