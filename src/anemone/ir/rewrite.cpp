// Patterns over use lists, and replacements that keep names.
#include "anemone/ir/rewrite.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace anemone {
namespace {

bool is_computed_from_static(const Value& value, int steps) {
  if (is_static(&value)) return true;
  const Node* node = value.producer;
  if (!node || steps == 0 || !node->def || node->def->is(kEffect | kRandom) || !node->blocks.empty()) return false;
  for (const Operand& operand : node->operands()) {
    for (const Value* from : operand.values) {
      if (!is_computed_from_static(*from, steps - 1)) return false;
    }
  }
  return true;
}

}  // namespace

const Constant* payload(const Value* value) {
  return value && value->constant && value->constant->missing.empty() ? value->constant.get() : nullptr;
}

bool have_payloads(const Node& node, std::initializer_list<std::string_view> params) {
  return std::all_of(params.begin(), params.end(),
                     [&](std::string_view param) { return !node.input(param) || payload(node.input(param)); });
}

std::optional<double> number_of(const Value* value) {
  const Constant* constant = payload(value);
  if (!constant || !constant->type.is_tensor() || constant->is_string() || constant->count() < 1) return std::nullopt;
  constexpr std::int64_t kMost = 1 << 16;  // nobody writes a number more often than that
  const double first = scalar(*constant);
  if (constant->count() == 1) return first;
  if (constant->count() > kMost) return std::nullopt;
  const std::vector<double> all = to_doubles(*constant);
  return std::all_of(all.begin(), all.end(), [&](double v) { return v == first; }) ? std::optional(first)
                                                                                   : std::nullopt;
}

bool is_number(const Value* value, double number) {
  const auto found = number_of(value);
  constexpr double kHalfPrecision = 1e-3;
  return found && std::abs(*found - number) <= kHalfPrecision * std::abs(number);
}

std::optional<WithNumber> with_number(const Node* node, std::string_view type) {
  if (!node || node->type != type || !node->input("x") || !node->input("y")) return std::nullopt;
  if (const auto y = number_of(node->input("y"))) return WithNumber{node->input("x"), *y};
  const bool commutes = type == "add" || type == "mul" || type == "maximum" || type == "minimum";
  if (const auto x = commutes ? number_of(node->input("x")) : std::nullopt) return WithNumber{node->input("y"), *x};
  return std::nullopt;
}

bool is_static(const Value* value) {
  return value && (value->constant || (value->producer && is(*value->producer, kConstexpr)));
}

bool is_computed_from_static(const Value* value) {
  constexpr int kLongestChain = 8;  // folding a weight takes a few steps: transpose, expand_dims, cast
  return value && is_computed_from_static(*value, kLongestChain);
}

Node* producer(const Value* value, std::string_view type) {
  return value && value->producer && value->producer->type == type ? value->producer : nullptr;
}

Node* producer(const Value* value, OpSet any) {
  return value && value->producer && is(*value->producer, any) ? value->producer : nullptr;
}

Node* only_user(const Value* value) {
  return value && value->output_uses == 0 && value->uses.size() == 1 ? value->uses[0].node : nullptr;
}

Value* find_result(Block& block, std::string_view name) {
  for (Node& node : block.nodes) {
    for (const auto& output : node.outputs) {
      if (output->name == name) return output.get();
    }
  }
  return nullptr;
}

const std::string& display_name(const Node& node) {
  return !node.name.empty() || node.outputs.empty() ? node.name : node.outputs[0]->name;
}

void take_name(Value& to, Value& from) { std::swap(to.name, from.name); }

namespace {
// Its own name is nobody's business, and it is defined where the other was.
bool may_change_its_name(const Value& value, const Value& place) {
  return value.output_uses == 0 && value.block == place.block && (value.producer || value.constant);
}
}  // namespace

bool can_replace(const Value& from, const Value& to) { return from.output_uses == 0 || may_change_its_name(to, from); }

void replace_value(Value& from, Value& to) {
  const bool named = may_change_its_name(to, from);
  replace_uses(from, to);
  if (!named) return;
  take_name(to, from);
  if (to.producer && from.producer) std::swap(to.producer->name, from.producer->name);
}

bool replace_with(Node& node, Value& value) {
  if (!can_replace(*node.output(), value)) return false;
  replace_value(*node.output(), value);
  node.block().erase(node);
  return true;
}

}  // namespace anemone
