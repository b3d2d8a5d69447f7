#pragma once
// Makes nodes with their types. Errors stick: after the first one the builder returns placeholders, and finish() says
// what it was, so that a network reads as one expression after the other.
#include <initializer_list>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "anemone/ir/graph.h"
#include "anemone/ir/op_def.h"

namespace anemone {

/// What can be bound to a parameter: values of the graph, or a literal that becomes a constant. No values: nothing is.
struct Argument {
  Argument(Value* value) : values{value} {}
  Argument(std::vector<Value*> list) : values(std::move(list)) {}
  Argument(ConstantPtr constant) : literal(std::move(constant)) {}
  Argument(const char* text) : literal(make_text(text)) {}
  Argument(bool flag) : literal(make_scalar(DType::boolean, flag)) {}
  Argument(int number) : literal(make_scalar(DType::int32, number)) {}
  Argument(std::int64_t number) : literal(make_scalar(DType::int32, static_cast<double>(number))) {}
  Argument(const Dims& ints) : literal(make_ints(ints)) {}
  Argument(std::initializer_list<std::int64_t> ints) : literal(make_ints(ints)) {}
  std::vector<Value*> values;
  ConstantPtr literal;
};
using Bound = std::pair<std::string_view, Argument>;
using Arguments = std::initializer_list<Bound>;

/// What a builder has added to its block, for whoever may take it back.
struct Made {
  std::vector<Node*> nodes;
  std::vector<Value*> constants;
  Function::NameChanges names;
};

class Builder {
 public:
  /// Inserts before `position` of the block.
  Builder(Block& block, std::list<Node>::iterator position) : block_(&block), position_(position) {}
  explicit Builder(Block& block) : Builder(block, block.nodes.end()) {}
  /// Inserts before a node, and hands its origin on to the new nodes.
  explicit Builder(Node& before);
  /// From now on what is added is noted there, too.
  void record(Made& made) { made_ = &made; }
  /// From now on new nodes stand before this one, of the same block.
  void move_before(Node& node) { position_ = node.position(); }

  /// A node with one output, called `name` (made unique). Types are inferred.
  Value* add(std::string_view type, Arguments arguments, std::string_view name = {});
  /// A node with any number of outputs; null after an error.
  Node* add_node(std::string_view type, Arguments arguments, std::string_view name = {});
  /// As `add`, of the type and with the operands of another node, but for those in `changed`.
  Value* add_like(const Node& model, std::span<const Bound> changed, std::string_view name = {});
  Value* add_like(const Node& model, Arguments changed, std::string_view name = {}) {
    return add_like(model, std::span<const Bound>(changed.begin(), changed.size()), name);
  }
  /// Binds operands of a node that is there already.
  void bind(Node& node, Arguments arguments) { bind(node, {arguments.begin(), arguments.size()}); }
  /// A constant of the block; equal small ones made by this builder are shared.
  Value* constant(ConstantPtr constant, std::string_view name = {});
  Value* scalar(DType dtype, double value, std::string_view name = {}) {
    return constant(make_scalar(dtype, value), name);
  }

  void set_origin(std::string origin) { origin_ = std::move(origin); }
  Result<void> finish();

 private:
  Value* placeholder();
  Node* add_bound(std::string_view type, std::span<const Bound> arguments, std::string_view name);
  void bind(Node& node, std::span<const Bound> arguments);
  Value* add_constant(ConstantPtr constant, std::string_view name);
  std::string unique_name(std::string_view wish);
  Block* block_;
  std::list<Node>::iterator position_;
  std::string origin_;
  Diagnostics errors_;
  Made* made_ = nullptr;
  std::vector<std::unique_ptr<Value>> placeholders_;
  std::unordered_multimap<std::uint64_t, Value*> shared_;
};

}  // namespace anemone
