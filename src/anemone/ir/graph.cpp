// Use lists, insertion and removal, copies.
#include "anemone/ir/graph.h"

#include <algorithm>
#include <array>
#include <unordered_map>

namespace anemone {
namespace {

// Takes back every use that the node and the blocks inside it make.
void unlink(Node& node) {
  while (!node.operands().empty()) node.remove(node.operands().back().param);
  for (auto& block : node.blocks) {
    block->set_outputs({});
    for (Node& inner : block->nodes) unlink(inner);
  }
}

}  // namespace

Node::~Node() = default;
Block::~Block() = default;

const Operand* Node::operand(std::string_view param) const {
  for (const Operand& o : operands_) {
    if (o.param == param) return &o;
  }
  return nullptr;
}

Value* Node::input(std::string_view param) const {
  const Operand* o = operand(param);
  return o && !o->values.empty() ? o->values[0] : nullptr;
}

const Constant* Node::constant(std::string_view param) const {
  const Value* value = input(param);
  return value ? value->constant.get() : nullptr;
}

// A use knows its slot in the use list, and the list knows the operand: both ends move in constant time, however often
// a constant is shared.
void Node::link(std::size_t operand, std::size_t item) {
  Operand& o = operands_[operand];
  Value& value = *o.values[item];
  o.slots[item] = static_cast<std::uint32_t>(value.uses.size());
  value.uses.push_back({this, static_cast<std::uint32_t>(operand), static_cast<std::uint32_t>(item)});
}

void Node::unlink(std::size_t operand, std::size_t item) {
  const Operand& o = operands_[operand];
  std::vector<Use>& uses = o.values[item]->uses;
  const Use last = uses.back();
  uses[o.slots[item]] = last;
  last.node->operands_[last.operand].slots[last.item] = o.slots[item];
  uses.pop_back();
}

void Node::link(std::size_t operand) {
  operands_[operand].slots.resize(operands_[operand].values.size());
  for (std::size_t i = 0; i < operands_[operand].values.size(); ++i) link(operand, i);
}

void Node::unlink(std::size_t operand) {
  for (std::size_t i = 0; i < operands_[operand].values.size(); ++i) unlink(operand, i);
}

void Node::set(std::string_view param, std::vector<Value*> values) {
  std::size_t at = 0;
  while (at < operands_.size() && operands_[at].param != param) ++at;
  if (at == operands_.size()) {
    operands_.push_back({std::string(param), std::move(values), {}});
  } else {
    unlink(at);
    operands_[at].values = std::move(values);
  }
  link(at);
}

void Node::remove(std::string_view param) {
  for (std::size_t at = 0; at < operands_.size(); ++at) {
    if (operands_[at].param != param) continue;
    unlink(at);
    operands_.erase(operands_.begin() + static_cast<std::ptrdiff_t>(at));
    for (; at < operands_.size(); ++at) {  // those behind it have moved
      const Operand& moved = operands_[at];
      for (std::size_t i = 0; i < moved.values.size(); ++i) {
        moved.values[i]->uses[moved.slots[i]].operand = static_cast<std::uint32_t>(at);
      }
    }
    return;
  }
}

void Node::replace(Value* from, Value* to) {
  for (std::size_t o = 0; o < operands_.size(); ++o) {
    for (std::size_t i = 0; i < operands_[o].values.size(); ++i) {
      if (operands_[o].values[i] == from)
        replace({this, static_cast<std::uint32_t>(o), static_cast<std::uint32_t>(i)}, to);
    }
  }
}

void Node::replace(const Use& use, Value* to) {
  const std::size_t operand = use.operand, item = use.item;  // the use itself lies in the list that changes
  unlink(operand, item);
  operands_[operand].values[item] = to;
  link(operand, item);
}

Value* Node::add_output(std::string output_name, Type output_type) {
  block_->function().note_name(output_name);
  auto value = std::make_unique<Value>();
  value->name = std::move(output_name);
  value->type = std::move(output_type);
  value->producer = this;
  value->block = block_;
  outputs.push_back(std::move(value));
  return outputs.back().get();
}

Block& Node::add_block() {
  blocks.push_back(std::make_unique<Block>(block_->function(), this));
  return *blocks.back();
}

void Block::set_outputs(std::vector<Value*> values) {
  for (Value* value : outputs_) --value->output_uses;
  for (Value* value : values) ++value->output_uses;
  outputs_ = std::move(values);
}

void Block::replace_output(std::size_t index, Value* value) {
  --outputs_[index]->output_uses;
  ++value->output_uses;
  outputs_[index] = value;
}

Value* Block::add_input(std::string input_name, Type type) {
  function_->note_name(input_name);
  auto value = std::make_unique<Value>();
  value->name = std::move(input_name);
  value->type = std::move(type);
  value->block = this;
  inputs.push_back(std::move(value));
  return inputs.back().get();
}

Value* Block::add_constant(std::string constant_name, ConstantPtr constant) {
  function_->note_name(constant_name);
  auto value = std::make_unique<Value>();
  value->name = std::move(constant_name);
  value->type = constant->type;
  value->block = this;
  value->constant = std::move(constant);
  constants.push_back(std::move(value));
  constants.back()->position = std::prev(constants.end());
  return constants.back().get();
}

Node& Block::insert(std::list<Node>::iterator position, std::string type, const OpDef* def) {
  const auto at = nodes.emplace(position, *this, std::move(type), def);
  at->position_ = at;
  return *at;
}

void Block::erase(Node& node) {
  unlink(node);
  nodes.erase(node.position());
}

void Block::erase_constant(Value& value) { constants.erase(value.position); }

void replace_uses(Value& from, Value& to) {
  if (&from == &to) return;
  while (!from.uses.empty()) from.uses.back().node->replace(from.uses.back(), &to);
  if (from.output_uses == 0) return;
  // Outputs of the block that defines it, or of a block nested inside.
  const auto in_block = [&](auto&& self, Block& block) -> void {
    for (std::size_t i = 0; i < block.outputs().size(); ++i) {
      if (block.outputs()[i] == &from) block.replace_output(i, &to);
    }
    for (Node& node : block.nodes) {
      for (auto& inner : node.blocks) self(self, *inner);
    }
  };
  in_block(in_block, *from.block);
}

std::string legal_identifier(std::string_view wish) {
  static constexpr std::array<std::string_view, 26> kReserved{
      "any",   "bool",   "program", "func",   "tensor", "list",  "dict",  "tuple", "true",
      "false", "string", "bf16",    "fp16",   "fp32",   "fp64",  "int8",  "int16", "int32",
      "int64", "uint8",  "uint16",  "uint32", "uint64", "state", "const", "main"};
  std::string out;
  for (char c : wish) {
    const bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    out += ok ? c : '_';
  }
  if (out.empty() || (out[0] >= '0' && out[0] <= '9')) out = "var_" + out;
  if (std::find(kReserved.begin(), kReserved.end(), out) != kReserved.end()) out += "_";
  return out;
}

std::string Function::unique_name(std::string_view wish, NameChanges* changes) {
  const auto note = [&](const std::string& changed, int before) {
    if (changes) changes->emplace_back(changed, before);
  };
  const std::string base = legal_identifier(wish);
  const auto found = names_.find(base);
  if (found == names_.end()) {
    names_.emplace(base, 0);
    note(base, -1);
    return base;
  }
  note(base, found->second);
  std::string fresh;
  do {
    fresh = base + "_" + std::to_string(++found->second);
  } while (names_.contains(fresh));
  names_.emplace(fresh, 0);
  note(fresh, -1);
  return fresh;
}

void Function::undo_names(const NameChanges& changes) {
  for (const auto& [name_, before] : changes) {
    const auto found = names_.find(name_);
    if (found == names_.end()) continue;
    if (before < 0) {
      names_.erase(found);
    } else {
      found->second = std::min(found->second, before);  // whoever else counted on finds the next free one
    }
  }
}

Function* Program::find(std::string_view wanted) const {
  for (const auto& function : functions) {
    if (function->name == wanted) return function.get();
  }
  return nullptr;
}

Function& Program::main() {
  Function* function = find(default_function);
  return function ? *function : *functions.front();
}
const Function& Program::main() const { return const_cast<Program*>(this)->main(); }

Function& Program::add_function(std::string function_name, Target opset) {
  functions.push_back(std::make_unique<Function>(*this, std::move(function_name)));
  functions.back()->opset = opset;
  return *functions.back();
}

namespace {

class Cloner {
 public:
  void block(const Block& from, Block& to) {
    to.attributes = from.attributes;
    for (const auto& input : from.inputs) map_[input.get()] = to.add_input(input->name, input->type);
    for (const auto& constant : from.constants) {
      Value* copy = to.add_constant(constant->name, constant->constant);
      copy->is_inline = constant->is_inline;
      map_[constant.get()] = copy;
    }
    for (const Node& node : from.nodes) {
      Node& copy = to.insert(to.nodes.end(), node.type, node.def);
      copy.name = node.name;
      copy.origin = node.origin;
      copy.attributes = node.attributes;
      for (const Operand& o : node.operands()) copy.set(o.param, mapped(o.values));
      for (const auto& inner : node.blocks) block(*inner, copy.add_block());
      for (const auto& output : node.outputs) map_[output.get()] = copy.add_output(output->name, output->type);
    }
    to.set_outputs(mapped(from.outputs()));
  }

 private:
  std::vector<Value*> mapped(const std::vector<Value*>& values) const {
    std::vector<Value*> out;
    out.reserve(values.size());
    for (const Value* value : values) out.push_back(map_.at(value));
    return out;
  }
  std::unordered_map<const Value*, Value*> map_;
};

}  // namespace

std::unique_ptr<Program> clone(const Program& program) {
  auto copy = std::make_unique<Program>(*program.ops);
  copy->specification = program.specification;
  copy->default_function = program.default_function;
  copy->attributes = program.attributes;
  copy->doc = program.doc;
  copy->metadata = program.metadata;
  for (const auto& function : program.functions) {
    Function& target = copy->add_function(function->name, function->opset);
    target.attributes = function->attributes;
    target.interface = function->interface;
    Cloner().block(function->body, target.body);
  }
  return copy;
}

}  // namespace anemone
