#pragma once
// The intermediate representation: a Core ML ML Program in SSA form. A Program holds functions, a function a block of
// nodes; nodes take named operands, as MIL does, and may hold blocks themselves. Constants are values without a node.
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "anemone/ir/constant.h"
#include "anemone/ir/interface.h"
#include "anemone/ir/type.h"

namespace anemone {

struct OpDef;
class OpTable;
class Node;
class Block;
struct Function;
struct Program;

/// One place where a value is an operand: `node->operands()[operand].values[item]`.
struct Use {
  Node* node;
  std::uint32_t operand, item;
};

/// One definition, used by name. Owned by its node or block; use lists are kept by Node and Block.
struct Value {
  std::string name;
  Type type;
  Node* producer = nullptr;  ///< null: a block's input or a constant
  Block* block = nullptr;    ///< where it is defined
  ConstantPtr constant;      ///< set: a MIL `const`
  bool is_inline = false;    ///< constant written as a literal at its use instead of as a `const` operation
  std::vector<Use> uses;     ///< in no order
  int output_uses = 0;       ///< how often it is an output of a block
  std::list<std::unique_ptr<Value>>::iterator position;  ///< constants: where their block holds them

  bool is_used() const { return !uses.empty() || output_uses > 0; }
  bool has_single_use() const { return uses.size() + static_cast<std::size_t>(output_uses) == 1; }
};

/// A parameter and what is bound to it: one value, or several for a list parameter (`values` of concat).
struct Operand {
  std::string param;
  std::vector<Value*> values;
  std::vector<std::uint32_t> slots;  ///< where the use list of each value holds this use; kept by Node
};

using Attributes = std::vector<std::pair<std::string, ConstantPtr>>;  ///< by name

/// An operation. Its use lists are an invariant: operands change only through set() and remove().
class Node {
 public:
  Node(Block& block, std::string op_type, const OpDef* row) : type(std::move(op_type)), def(row), block_(&block) {}
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  ~Node();

  std::string type;       ///< MIL operation type, "conv"
  const OpDef* def;       ///< its table row; null for an opaque operation, which is carried but not understood
  std::string name;       ///< MIL attribute `name`; empty = the name of the first output
  std::string origin;     ///< where a person would look: "checkpoint: pre.0.conv.weight"; empty if unknown
  Attributes attributes;  ///< besides `name`; only opaque operations have any

  const std::vector<Operand>& operands() const { return operands_; }
  const Operand* operand(std::string_view param) const;
  Value* input(std::string_view param) const;              ///< the first value bound to it, or null
  const Constant* constant(std::string_view param) const;  ///< of that value, or null when it is not a constant
  void set(std::string_view param, std::vector<Value*> values);
  void set(std::string_view param, Value* value) { set(param, std::vector<Value*>{value}); }
  void remove(std::string_view param);
  /// Every use of `from` among the operands becomes a use of `to`.
  void replace(Value* from, Value* to);
  void replace(const Use& use, Value* to);  ///< this one use, which must be one of the node

  std::vector<std::unique_ptr<Value>> outputs;
  Value* output(std::size_t index = 0) const { return outputs[index].get(); }
  Value* add_output(std::string name, Type type);
  std::vector<std::unique_ptr<Block>> blocks;  ///< nested: cond has two, while_loop two
  Block& add_block();

  Block& block() const { return *block_; }
  std::list<Node>::iterator position() const { return position_; }

 private:
  friend class Block;
  void link(std::size_t operand);    // enters its values into their use lists
  void unlink(std::size_t operand);  // takes them out again
  void link(std::size_t operand, std::size_t item);
  void unlink(std::size_t operand, std::size_t item);
  Block* block_;
  std::list<Node>::iterator position_;
  std::vector<Operand> operands_;
};

/// A list of nodes in execution order, with its inputs, constants and outputs.
class Block {
 public:
  Block(Function& function, Node* parent) : function_(&function), parent_(parent) {}
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  ~Block();

  std::vector<std::unique_ptr<Value>> inputs;
  std::list<std::unique_ptr<Value>> constants;  ///< in the order of their definition
  std::list<Node> nodes;
  Attributes attributes;

  const std::vector<Value*>& outputs() const { return outputs_; }
  void set_outputs(std::vector<Value*> outputs);
  void replace_output(std::size_t index, Value* value);

  Value* add_input(std::string name, Type type);
  Value* add_constant(std::string name, ConstantPtr constant);
  /// A node without operands and outputs yet, before `position` (nodes.end() appends).
  Node& insert(std::list<Node>::iterator position, std::string type, const OpDef* def);
  /// Its outputs must be unused.
  void erase(Node& node);
  void erase_constant(Value& value);  ///< must be unused

  Function& function() const { return *function_; }
  Node* parent() const { return parent_; }  ///< the node that holds it; null for a function's body

 private:
  Function* function_;
  Node* parent_;
  std::vector<Value*> outputs_;
};

/// Every use of `from`, block outputs included, becomes a use of `to`.
void replace_uses(Value& from, Value& to);

struct Function {
  Function(Program& owner, std::string function_name)
      : name(std::move(function_name)), body(*this, nullptr), program(&owner) {}
  std::string name;
  Target opset = Target::ios17;
  Block body;
  Attributes attributes;
  Interface interface;
  Program* program;

  /// What unique_name() did to the table of names, newest last: a name, and the suffix tried before; -1: it was free.
  using NameChanges = std::vector<std::pair<std::string, int>>;
  /// A name that no value of the function has yet: `wish` (made a legal identifier), or wish_1, wish_2 …
  std::string unique_name(std::string_view wish, NameChanges* changes = nullptr);
  void note_name(const std::string& used) { names_.insert({used, 0}); }
  void undo_names(const NameChanges& changes);

 private:
  std::map<std::string, int, std::less<>> names_;  ///< names in use, and the last suffix tried
};

struct Program {
  explicit Program(const OpTable& table) : ops(&table) {}
  const OpTable* ops;
  int specification = 8;  ///< specificationVersion of the model
  std::vector<std::unique_ptr<Function>> functions;
  std::string default_function = "main";
  Attributes attributes;  ///< buildInfo
  std::string doc;
  Metadata metadata;

  Function& main();  ///< the default function; there is always one
  const Function& main() const;
  Function* find(std::string_view name) const;
  Function& add_function(std::string name, Target opset);
};

/// Calls visit(node) for every node of the block and of the blocks inside it, in order.
template <class Visit>
void for_each_node(Block& block, Visit&& visit) {
  for (Node& node : block.nodes) {
    visit(node);
    for (auto& inner : node.blocks) for_each_node(*inner, visit);
  }
}
template <class Visit>
void for_each_node(const Block& block, Visit&& visit) {
  for (const Node& node : block.nodes) {
    visit(node);
    for (const auto& inner : node.blocks) for_each_node(static_cast<const Block&>(*inner), visit);
  }
}

/// A deep copy; constants share their payload.
std::unique_ptr<Program> clone(const Program& program);

/// Letters, digits and '_', not beginning with a digit, not a reserved word of MIL.
std::string legal_identifier(std::string_view wish);

}  // namespace anemone
