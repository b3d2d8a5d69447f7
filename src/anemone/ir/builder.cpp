// Insertion of nodes whose types are inferred at birth.
#include "anemone/ir/builder.h"

#include <fmt/format.h>

#include <algorithm>

#include "anemone/ir/rewrite.h"

namespace anemone {
namespace {
constexpr std::int64_t kShareBelow = 64;  // constants of at most this many elements are shared inside a builder
}

Builder::Builder(Node& before) : Builder(before.block(), before.position()) { origin_ = before.origin; }

Value* Builder::placeholder() {
  placeholders_.push_back(std::make_unique<Value>());
  placeholders_.back()->type = Type::unranked(DType::fp32);
  return placeholders_.back().get();
}

std::string Builder::unique_name(std::string_view wish) {
  return block_->function().unique_name(wish, made_ ? &made_->names : nullptr);
}

Value* Builder::add_constant(ConstantPtr constant, std::string_view name) {
  Value* value = block_->add_constant(unique_name(name.empty() ? "const" : name), std::move(constant));
  if (made_) made_->constants.push_back(value);
  return value;
}

Value* Builder::constant(ConstantPtr constant, std::string_view name) {
  if (constant->count() > kShareBelow) return add_constant(std::move(constant), name);
  const std::uint64_t hash = content_hash(*constant);
  const auto [first, last] = shared_.equal_range(hash);
  for (auto it = first; it != last; ++it) {
    if (same_content(*it->second->constant, *constant)) return it->second;
  }
  Value* value = add_constant(std::move(constant), name);
  shared_.emplace(hash, value);
  return value;
}

void Builder::bind(Node& node, std::span<const Bound> arguments) {
  for (const auto& [param, argument] : arguments) {
    if (argument.literal) {
      node.set(param, constant(argument.literal, param));
    } else if (!argument.values.empty() && argument.values[0]) {
      node.set(param, argument.values);
    }
  }
}

Node* Builder::add_bound(std::string_view type, std::span<const Bound> arguments, std::string_view name) {
  if (!errors_.empty()) return nullptr;
  Function& function = block_->function();
  const OpDef* def = function.program->ops->find(type);
  if (!def) {
    errors_.push_back(own_bug(fmt::format("the operation '{}' is not in the table", type), origin_));
    return nullptr;
  }
  TypeQuestion question{def, function.opset, {}, nullptr, name.empty() ? type : name};
  for (const auto& [param, argument] : arguments) {
    if (argument.literal) question.given.push_back({param, &argument.literal->type, argument.literal.get(), true});
    for (const Value* value : argument.values) {
      if (!value) continue;  // an argument that is null is left out
      question.given.push_back({param, &value->type, value->constant.get(), is_static(value), value});
    }
  }
  auto types = infer_types(question);
  if (!types) {
    errors_ = std::move(types).error();
    for (Diagnostic& d : errors_) d.place = origin_;
    return nullptr;
  }
  Node& node = block_->insert(position_, std::string(type), def);
  node.origin = origin_;
  bind(node, arguments);
  const std::string output = unique_name(name.empty() ? type : name);
  node.name = output;
  for (std::size_t i = 0; i < types->size(); ++i) {
    node.add_output(i == 0 ? output : unique_name(fmt::format("{}_{}", output, i)), std::move((*types)[i]));
  }
  if (made_) made_->nodes.push_back(&node);
  return &node;
}

Node* Builder::add_node(std::string_view type, Arguments arguments, std::string_view name) {
  return add_bound(type, {arguments.begin(), arguments.size()}, name);
}

Value* Builder::add(std::string_view type, Arguments arguments, std::string_view name) {
  Node* node = add_node(type, arguments, name);
  return node && !node->outputs.empty() ? node->output() : placeholder();
}

Value* Builder::add_like(const Node& model, std::span<const Bound> changed, std::string_view name) {
  std::vector<Bound> all(changed.begin(), changed.end());
  for (const Operand& operand : model.operands()) {
    const bool is_changed =
        std::any_of(changed.begin(), changed.end(), [&](const Bound& bound) { return bound.first == operand.param; });
    if (!is_changed) all.emplace_back(operand.param, operand.values);
  }
  Node* node = add_bound(model.type, all, name);
  return node && !node->outputs.empty() ? node->output() : placeholder();
}

Result<void> Builder::finish() {
  if (errors_.empty()) return {};
  return std::exchange(errors_, {});
}

}  // namespace anemone
