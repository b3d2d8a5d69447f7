// Use lists, insertion and removal, copies.
#include "anemone/ir/graph.h"

#include <algorithm>
#include <array>
#include <unordered_map>

namespace anemone {
namespace {

void drop_use(Value& value, const Node* node) {
  const auto at = std::find(value.users.begin(), value.users.end(), node);
  if (at == value.users.end()) return;
  *at = value.users.back();
  value.users.pop_back();
}

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

void Node::set(std::string_view param, std::vector<Value*> values) {
  for (Value* value : values) value->users.push_back(this);
  for (Operand& o : operands_) {
    if (o.param != param) continue;
    for (Value* value : o.values) drop_use(*value, this);
    o.values = std::move(values);
    return;
  }
  operands_.push_back({std::string(param), std::move(values)});
}

void Node::remove(std::string_view param) {
  for (auto o = operands_.begin(); o != operands_.end(); ++o) {
    if (o->param != param) continue;
    for (Value* value : o->values) drop_use(*value, this);
    operands_.erase(o);
    return;
  }
}

void Node::replace(Value* from, Value* to) {
  for (Operand& o : operands_) {
    for (Value*& value : o.values) {
      if (value != from) continue;
      drop_use(*from, this);
      to->users.push_back(this);
      value = to;
    }
  }
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

void Block::erase_constant(Value& value) {
  constants.remove_if([&](const std::unique_ptr<Value>& c) { return c.get() == &value; });
}

void replace_uses(Value& from, Value& to) {
  while (!from.users.empty()) from.users.back()->replace(&from, &to);
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

std::string Function::unique_name(std::string_view wish) {
  const std::string base = legal_identifier(wish);
  const auto found = names_.find(base);
  if (found == names_.end()) {
    names_.emplace(base, 0);
    return base;
  }
  std::string fresh;
  do {
    fresh = base + "_" + std::to_string(++found->second);
  } while (names_.contains(fresh));
  names_.emplace(fresh, 0);
  return fresh;
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
