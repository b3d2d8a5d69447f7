#pragma once
// The words that passes, rules and kernels share when they look at a graph and change it. Those that look accept null,
// so that a pattern reads from the end to the beginning: producer(node.input("x"), "conv").
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "anemone/ir/graph.h"
#include "anemone/ir/op_def.h"

namespace anemone {

// Looking.

/// The content of a plain constant; null for anything else, and for a constant whose weight file is missing.
const Constant* payload(const Value* value);
/// Each of these parameters is absent or has a payload.
bool have_payloads(const Node& node, std::initializer_list<std::string_view> params);
/// The number that a plain constant holds, once or many times over.
std::optional<double> number_of(const Value* value);
/// Is it this number, as far as its dtype can say?
bool is_number(const Value* value, double number);
/// `x ∘ number`: what a binary operation of this type does to the other operand; of those that commute on either side.
struct WithNumber {
  Value* x = nullptr;
  double number = 0;
};
std::optional<WithNumber> with_number(const Node* node, std::string_view type);
/// Known before run time, as MIL wants it of a compile-time parameter: a constant, or the result of a constexpr
/// operation.
bool is_static(const Value* value);
/// Static, or computed from static values alone in a few steps: what constant folding will make static.
bool is_computed_from_static(const Value* value);
/// The node that makes the value, if it is of this type or in one of these sets; else null.
Node* producer(const Value* value, std::string_view type);
Node* producer(const Value* value, OpSet any);
/// The one node that uses the value, once; null when there are more uses, or when it is an output of a block.
Node* only_user(const Value* value);
/// What an operation of the block (not of the blocks inside it) makes under this name, or null.
Value* find_result(Block& block, std::string_view name);
inline bool same_block(const Node& a, const Node& b) { return &a.block() == &b.block(); }
/// What to call a node in front of people: its name, else that of its first output.
const std::string& display_name(const Node& node);

// Changing.

/// The two values change names, so that `to` has the name that people and interfaces know.
void take_name(Value& to, Value& from);
/// False where a name must stay and cannot: an output of the function whose replacement is an input, a constant of an
/// outer block, or an output itself.
bool can_replace(const Value& from, const Value& to);
/// `to` takes the uses of `from` and, where it can, its name and that of its node. They can_replace().
void replace_value(Value& from, Value& to);
/// `value` takes the place and the name of the only output of `node`, which is erased. False, and nothing has changed,
/// where it cannot.
bool replace_with(Node& node, Value& value);

}  // namespace anemone
