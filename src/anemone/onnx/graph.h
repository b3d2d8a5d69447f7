#pragma once
// The ONNX graph: nodes as ONNX says them (positional operands, domains, opsets, bodies, functions), with use lists.
// The importer lowers it, the exporter raises to it, the planner of ONNX Runtime judges it; docs/decisions/0005.
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "anemone/formats/onnx/spec.h"
#include "anemone/support/result.h"

namespace anemone::onnx {

namespace onnxspec = formats::onnxspec;
using onnxspec::Attribute;
using onnxspec::DataType;
using onnxspec::Dimension;
using onnxspec::Tensor;
using onnxspec::Type;

class Graph;
class Node;

/// Who reads a value: an input of a node, or (node null) an output of the graph.
struct Use {
  Node* node = nullptr;
  std::size_t index = 0;
  bool operator==(const Use&) const = default;
};

class Value {
 public:
  Value(std::string name, Graph& graph) : name_(std::move(name)), graph_(&graph) {}
  Value(const Value&) = delete;
  Value& operator=(const Value&) = delete;

  const std::string& name() const { return name_; }
  Graph& graph() const { return *graph_; }
  Node* producer() const { return producer_; }    ///< null: an input or an initialiser
  std::size_t output() const { return output_; }  ///< of the producer
  /// Nodes of inner graphs that capture the value are among them. In no order.
  const std::vector<Use>& uses() const { return uses_; }
  bool is_input() const { return is_input_; }
  bool is_initializer() const { return tensor || sparse; }

  Type type;  ///< kind none: not known
  std::string doc;
  /// Of an initialiser. With is_input(), the default of that input.
  std::unique_ptr<Tensor> tensor;
  std::unique_ptr<onnxspec::SparseTensor> sparse;

 private:
  friend class Graph;
  friend class Node;
  void add_use(Use use);
  void drop_use(Use use);

  std::string name_;
  Graph* graph_;
  Node* producer_ = nullptr;
  std::size_t output_ = 0;
  bool is_input_ = false;
  std::vector<Use> uses_;
};

class Node {
 public:
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  std::string op_type, domain, name, overload, doc;  ///< domain "" is ai.onnx
  onnxspec::Properties metadata;
  std::vector<Attribute> attributes;                                   ///< but for those that are graphs
  std::vector<std::pair<std::string, std::unique_ptr<Graph>>> bodies;  ///< "then_branch", "body" …

  Graph& graph() const { return *graph_; }
  std::size_t input_count() const { return inputs_.size(); }
  std::size_t output_count() const { return outputs_.size(); }
  /// Null: left out, or beyond the end.
  Value* input(std::size_t index) const { return index < inputs_.size() ? inputs_[index].value : nullptr; }
  Value* output(std::size_t index) const { return index < outputs_.size() ? outputs_[index] : nullptr; }
  void set_input(std::size_t index, Value* value);

  const Attribute* attribute(std::string_view name) const;
  /// The attribute where it is there and of that kind, else the default of the operation.
  std::int64_t integer(std::string_view name, std::int64_t fallback) const;
  float number(std::string_view name, float fallback) const;
  std::string text(std::string_view name, std::string_view fallback) const;
  std::vector<std::int64_t> integers(std::string_view name) const;  ///< empty where there is none

 private:
  friend class Graph;
  friend class Value;
  struct Input {
    Value* value = nullptr;
    std::size_t slot = 0;  // in the value's list of uses
  };
  explicit Node(Graph& graph) : graph_(&graph) {}

  Graph* graph_;
  std::vector<Input> inputs_;
  std::vector<Value*> outputs_;
  std::list<std::unique_ptr<Node>>::iterator position_;
};

/// What to call a node in front of people: its name, else that of its first output, else its operation.
const std::string& display_name(const Node& node);

class Graph {
 public:
  explicit Graph(Node* owner = nullptr) : owner_(owner) {}
  ~Graph();
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  std::string name, doc;
  onnxspec::Properties metadata;
  std::vector<onnxspec::QuantizationAnnotation> quantization;

  Node* owner() const { return owner_; }  ///< whose body it is; null: the main graph
  const std::vector<Value*>& inputs() const { return inputs_; }
  const std::vector<Value*>& outputs() const { return outputs_; }
  /// In an order of execution.
  const std::list<std::unique_ptr<Node>>& nodes() const { return nodes_; }
  const std::list<std::unique_ptr<Value>>& values() const { return values_; }

  /// A value of this graph or of one around it.
  Value* find(std::string_view name) const;
  Value* find_here(std::string_view name) const;

  /// Null when the name is taken in this graph.
  Value* add_value(std::string name);
  /// A name that no value of this graph, nor of one around it, has: `stem`, `stem_1`, …
  std::string free_name(const std::string& stem) const;
  /// A value that has this name already gets another one.
  void rename(Value& value, const std::string& to);
  void make_input(Value& value);
  void add_output(Value& value);
  void set_output(std::size_t index, Value& value);
  /// Before `before`, or at the end. The outputs have no producer yet.
  Node& add_node(std::string op_type, std::vector<Value*> inputs, std::vector<Value*> outputs,
                 const Node* before = nullptr);

  /// The node that makes `from` makes `to` instead, which nothing made so far. `from` keeps its uses.
  void move_producer(Value& from, Value& to);
  /// All uses of `value`, outputs of the graph included, become uses of `with`.
  void replace_uses(Value& value, Value& with);
  /// The node's outputs have no uses; they go with it.
  void erase(Node& node);
  /// The value has no uses and no producer.
  void erase(Value& value);

 private:
  friend class Value;
  friend class Node;

  static void drop_inputs(Node& node);

  Node* owner_;
  std::list<std::unique_ptr<Value>> values_;
  std::unordered_map<std::string_view, std::list<std::unique_ptr<Value>>::iterator> by_name_;
  std::list<std::unique_ptr<Node>> nodes_;
  std::vector<Value*> inputs_, outputs_;
  std::vector<std::size_t> output_slots_;
};

struct Model {
  std::string file;  ///< for messages
  std::int64_t ir_version = 0, model_version = 0;
  std::string producer_name, producer_version, domain, doc;
  std::map<std::string, std::int64_t> opsets;  ///< by domain; "" is ai.onnx
  std::unique_ptr<Graph> graph;
  std::vector<onnxspec::Function> functions;
  onnxspec::Properties metadata;

  std::int64_t opset(const std::string& of_domain = {}) const;  ///< 0: not imported
  /// Known before run time: an initialiser that no caller can replace. (Up to IR version 3 every initialiser had to be
  /// an input too, and counts.)
  bool is_constant(const Value& value) const;
};

/// The graph of a file. Nodes are put in an order of execution when the file's is none. Errors: a name that nothing
/// defines (E0410), or two things do (E0411); nodes that wait for each other (E0412).
Result<Model> build_model(onnxspec::Model spec, std::string file);

/// The file of a graph: build_model's inverse. Types of inner values become value_info.
onnxspec::Model to_spec(const Model& model);

/// Every node, those of bodies after the node that owns them.
void for_each_node(const Graph& graph, const std::function<void(const Node&)>& visit);

/// An extent that is known, else -1.
std::int64_t extent(const Dimension& dimension);

}  // namespace anemone::onnx
