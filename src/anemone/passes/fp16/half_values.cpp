// Casts are shared: one a value and direction, right after its definition.
#include "anemone/passes/fp16/half_values.h"

#include <algorithm>

#include "anemone/ir/builder.h"
#include "anemone/ir/rewrite.h"
#include "anemone/passes/fp16/half_constants.h"

namespace anemone::passes {

bool is_tensor_of(const Value& value, DType dtype) { return value.type.is_tensor() && value.type.dtype == dtype; }

bool is_cast_to(const Node& node, std::string_view dtype) {
  return node.type == "cast" && ConstantView(node).text("dtype") == dtype;
}

bool is_widening(const Node& node) {
  return is_cast_to(node, "fp32") && node.input("x") && is_tensor_of(*node.input("x"), DType::fp16);
}

bool may_stay_wide(const Node& node, const Operand& operand) {
  const Form* form = node.def->form(node.block().function().opset);
  if (!form || form->params.empty()) return false;
  const auto group = [&](std::string_view param) {
    for (const Param& p : form->params) {
      if (p.name == param) return p.group;
    }
    return char{0};
  };
  const char own = group(operand.param);
  if (own == 0 || own == form->params[0].group) return false;
  for (const Operand& other : node.operands()) {
    if (group(other.param) != own) continue;
    for (const Value* value : other.values) {
      if (!value->constant || value->type.rank() != 0) return false;
    }
  }
  return true;
}

bool is_fixed(const Node& node, const Operand& operand) {
  const Form* form = node.def->form(node.block().function().opset);
  for (const Param& p : form ? form->params : std::span<const Param>()) {
    if (p.name == operand.param) return p.constant;
  }
  return false;
}

Value* HalfValues::static_half_of(Value& value) {
  if (value.constant) return half_of(value);
  if (const auto found = static_half_.find(&value); found != static_half_.end()) return found->second;
  static_half_[&value] = nullptr;
  Node* packed = producer(&value, kConstexpr);
  if (!packed) return nullptr;
  if (packed->type == "constexpr_cast") {  // it was fp16 before the cast
    Value* source = packed->input("source_val");
    return static_half_[&value] = is_tensor_of(*source, DType::fp16) ? source : nullptr;
  }
  std::vector<Operand> operands = packed->operands();
  for (Operand& operand : operands) {
    for (Value*& part : operand.values) {
      if (is_tensor_of(*part, DType::fp32) && !(part = static_half_of(*part))) return nullptr;
    }
  }
  Block& block = packed->block();
  Node& twin = block.insert(std::next(packed->position()), packed->type, packed->def);
  twin.origin = packed->origin;
  for (Operand& operand : operands) twin.set(operand.param, std::move(operand.values));
  const auto types = infer_types(twin, block.function().opset);
  if (!types || types->size() != packed->outputs.size()) {
    block.erase(twin);
    return nullptr;
  }
  for (std::size_t i = 0; i < types->size(); ++i) {
    Value& wide = *packed->outputs[i];
    Value* output = twin.add_output(block.function().unique_name(wide.name + "_fp16"), (*types)[i]);
    const bool free_name = wide.output_uses == 0;
    if (free_name) take_name(*output, wide);  // the old one is usually dead now
    made_.push_back({output, &wide, free_name});
    static_half_[&wide] = output;
  }
  std::swap(twin.name, packed->name);
  packed->name = packed->output()->name;
  return static_half_[&value];
}

Value* HalfValues::half_of(Value& value) {
  if (const auto found = half_.find(&value); found != half_.end()) return found->second;
  Value* half = nullptr;
  if (value.constant) {
    if (ConstantPtr rounded = to_half(*value.constant)) {
      Function& function = body_.function();
      half = value.block->add_constant(function.unique_name(value.name + "_fp32"), std::move(rounded));
      const bool free_name = value.output_uses == 0;
      if (free_name) take_name(*half, value);  // the old one is usually dead now
      made_.push_back({half, &value, free_name});
      half->is_inline = value.is_inline;
    }
  } else if (value.producer && is_widening(*value.producer)) {
    half = value.producer->input("x");
  } else if (producer(&value, kConstexpr)) {
    half = static_half_of(value);
  }
  if (!half && !value.constant) half = cast(value, "fp16");
  return half_[&value] = half;
}

void HalfValues::widen_operands(Node& node) {
  const auto widen_all = [&](Node& user, bool inside) {
    for (const Operand& operand : std::vector<Operand>(user.operands())) {
      for (Value* value : operand.values) {
        if (!inside || value->block == &body_) widen_for(user, *value);
      }
    }
  };
  widen_all(node, false);
  for (auto& block : node.blocks) for_each_node(*block, [&](Node& inner) { widen_all(inner, true); });
}

void HalfValues::widen_for(Node& node, Value& value) {
  if (!narrowed_.contains(&value)) return;
  Value*& wide = wide_[&value];
  if (!wide) wide = cast(value, "fp32");
  node.replace(&value, wide);
}

Value* HalfValues::cast(Value& value, const char* dtype) {
  Builder builder(body_, value.producer ? std::next(value.producer->position()) : body_.nodes.begin());
  if (value.producer) builder.set_origin(value.producer->origin);
  Node* node = builder.add_node("cast", {{"x", &value}, {"dtype", dtype}}, value.name + "_to_" + dtype);
  made_.push_back({node->output(), &value, false});
  return node->output();  // a cast of a float tensor cannot be refused
}

bool HalfValues::drop_unused() {
  bool stays = false;
  for (auto made = made_.rbegin(); made != made_.rend(); ++made) {
    Value& half = *made->half;
    const auto used = [](const auto& value) { return value->is_used(); };
    if (half.producer ? std::any_of(half.producer->outputs.begin(), half.producer->outputs.end(), used)
                      : half.is_used()) {
      stays = true;
      continue;
    }
    if (made->took_name) take_name(half, *made->wide);
    Node *node = half.producer, *source = made->wide->producer;
    if (!node) {
      half.block->erase_constant(half);
      continue;
    }
    if (made->took_name && source) std::swap(node->name, source->name);
    Value* word = node->type == "cast" ? node->input("dtype") : nullptr;
    node->block().erase(*node);
    if (word && !word->is_used()) word->block->erase_constant(*word);
  }
  made_.clear();
  return stays;
}

}  // namespace anemone::passes
