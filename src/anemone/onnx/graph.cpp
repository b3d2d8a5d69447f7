// Use lists, names, and the questions that nodes answer.
#include "anemone/onnx/graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace anemone::onnx {

void Value::add_use(Use use) {
  if (use.node) {
    use.node->inputs_[use.index].slot = uses_.size();
  } else {
    graph_->output_slots_[use.index] = uses_.size();
  }
  uses_.push_back(use);
}

void Value::drop_use(Use use) {
  const auto slot_of = [this](const Use& u) -> std::size_t& {
    return u.node ? u.node->inputs_[u.index].slot : graph_->output_slots_[u.index];
  };
  const std::size_t slot = slot_of(use);
  uses_[slot] = uses_.back();
  slot_of(uses_[slot]) = slot;
  uses_.pop_back();
}

void Node::set_input(std::size_t index, Value* value) {
  if (index >= inputs_.size()) inputs_.resize(index + 1);
  if (inputs_[index].value) inputs_[index].value->drop_use({this, index});
  inputs_[index].value = value;
  if (value) value->add_use({this, index});
}

const Attribute* Node::attribute(std::string_view wanted) const {
  const auto found =
      std::find_if(attributes.begin(), attributes.end(), [&](const Attribute& a) { return a.name == wanted; });
  return found == attributes.end() ? nullptr : &*found;
}

namespace {

template <class T>
const T* value_of(const Node& node, std::string_view name) {
  const Attribute* attribute = node.attribute(name);
  return attribute ? std::get_if<T>(&attribute->value) : nullptr;
}

}  // namespace

std::int64_t Node::integer(std::string_view wanted, std::int64_t fallback) const {
  const auto* value = value_of<std::int64_t>(*this, wanted);
  return value ? *value : fallback;
}

float Node::number(std::string_view wanted, float fallback) const {
  const auto* value = value_of<float>(*this, wanted);
  return value ? *value : fallback;
}

std::string Node::text(std::string_view wanted, std::string_view fallback) const {
  const auto* value = value_of<std::string>(*this, wanted);
  return value ? *value : std::string(fallback);
}

std::vector<std::int64_t> Node::integers(std::string_view wanted) const {
  const auto* value = value_of<std::vector<std::int64_t>>(*this, wanted);
  return value ? *value : std::vector<std::int64_t>{};
}

// Nothing is taken apart in order: uses would point to what is gone already.
const std::string& display_name(const Node& node) {
  if (!node.name.empty()) return node.name;
  for (std::size_t i = 0; i < node.output_count(); ++i) {
    if (node.output(i)) return node.output(i)->name();
  }
  return node.op_type;
}

Graph::~Graph() = default;

Value* Graph::find_here(std::string_view wanted) const {
  const auto found = by_name_.find(wanted);
  return found == by_name_.end() ? nullptr : found->second->get();
}

Value* Graph::find(std::string_view wanted) const {
  for (const Graph* graph = this; graph; graph = graph->owner_ ? graph->owner_->graph_ : nullptr) {
    if (Value* value = graph->find_here(wanted)) return value;
  }
  return nullptr;
}

Value* Graph::add_value(std::string value_name) {
  if (find_here(value_name)) return nullptr;
  values_.push_back(std::make_unique<Value>(std::move(value_name), *this));
  const auto at = std::prev(values_.end());
  by_name_.emplace((*at)->name(), at);
  return at->get();
}

std::string Graph::free_name(const std::string& stem) const {
  if (!find(stem)) return stem;
  for (std::size_t i = 1;; ++i) {
    std::string candidate = fmt::format("{}_{}", stem, i);
    if (!find(candidate)) return candidate;
  }
}

void Graph::rename(Value& value, const std::string& to) {
  if (value.name() == to) return;
  if (Value* other = find_here(to)) rename(*other, free_name(to));
  const auto found = by_name_.find(value.name());
  const auto at = found->second;
  by_name_.erase(found);  // its key looks into the value's name
  value.name_ = to;
  if (value.tensor) value.tensor->name = to;
  by_name_.emplace(value.name(), at);
}

void Graph::make_input(Value& value) {
  value.is_input_ = true;
  inputs_.push_back(&value);
}

void Graph::add_output(Value& value) {
  outputs_.push_back(&value);
  output_slots_.push_back(0);
  value.add_use({nullptr, outputs_.size() - 1});
}

void Graph::set_output(std::size_t index, Value& value) {
  outputs_[index]->drop_use({nullptr, index});
  outputs_[index] = &value;
  value.add_use({nullptr, index});
}

Node& Graph::add_node(std::string op_type, std::vector<Value*> inputs, std::vector<Value*> outputs,
                      const Node* before) {
  const auto at = nodes_.insert(before ? before->position_ : nodes_.end(), std::unique_ptr<Node>(new Node(*this)));
  Node& node = **at;
  node.position_ = at;
  node.op_type = std::move(op_type);
  node.inputs_.resize(inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    node.inputs_[i].value = inputs[i];
    if (inputs[i]) inputs[i]->add_use({&node, i});
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (!outputs[i]) continue;
    outputs[i]->producer_ = &node;
    outputs[i]->output_ = i;
  }
  node.outputs_ = std::move(outputs);
  return node;
}

void Graph::move_producer(Value& from, Value& to) {
  to.producer_ = std::exchange(from.producer_, nullptr);
  to.output_ = from.output_;
  to.producer_->outputs_[to.output_] = &to;
}

void Graph::replace_uses(Value& value, Value& with) {
  while (!value.uses_.empty()) {
    const Use use = value.uses_.back();
    if (use.node) {
      use.node->set_input(use.index, &with);
    } else {
      set_output(use.index, with);
    }
  }
}

void Graph::drop_inputs(Node& node) {
  for (std::size_t i = 0; i < node.inputs_.size(); ++i) node.set_input(i, nullptr);
  for (auto& [attribute, body] : node.bodies) {
    for (const auto& inner : body->nodes_) drop_inputs(*inner);  // what they capture is used no longer
  }
}

void Graph::erase(Node& node) {
  drop_inputs(node);
  for (Value* output : node.outputs_) {
    if (!output) continue;
    output->producer_ = nullptr;
    erase(*output);
  }
  nodes_.erase(node.position_);
}

void Graph::erase(Value& value) {
  std::erase(inputs_, &value);
  const auto found = by_name_.find(value.name());
  const auto at = found->second;
  by_name_.erase(found);
  values_.erase(at);
}

std::int64_t Model::opset(const std::string& of_domain) const {
  const auto found = opsets.find(of_domain);
  return found == opsets.end() ? 0 : found->second;
}

bool Model::is_constant(const Value& value) const {
  return value.is_initializer() && (!value.is_input() || ir_version < 4);
}

void for_each_node(const Graph& graph, const std::function<void(const Node&)>& visit) {
  for (const auto& node : graph.nodes()) {
    visit(*node);
    for (const auto& [name, body] : node->bodies) for_each_node(*body, visit);
  }
}

std::int64_t extent(const Dimension& dimension) { return std::max<std::int64_t>(dimension.value.value_or(-1), -1); }

}  // namespace anemone::onnx
