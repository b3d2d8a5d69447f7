// Casts are shared: one a value and direction, right after its definition.
#include "anemone/passes/half_values.h"

#include "anemone/ir/builder.h"
#include "anemone/ir/rewrite.h"
#include "anemone/passes/half_constants.h"

namespace anemone {

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

Value* HalfValues::half_of(Value& value) {
  if (const auto found = half_.find(&value); found != half_.end()) return found->second;
  Value* half = nullptr;
  if (value.constant) {
    if (ConstantPtr rounded = payload(&value) ? to_half(*value.constant) : nullptr) {
      Function& function = body_.function();
      half = value.block->add_constant(function.unique_name(value.name + "_fp32"), std::move(rounded));
      take_name(*half, value);  // the old one is usually dead now
      half->is_inline = value.is_inline;
    }
  } else if (value.producer && is_widening(*value.producer)) {
    half = value.producer->input("x");
  } else {
    half = cast(value, "fp16");
  }
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
  added_ = true;
  Builder builder(body_, value.producer ? std::next(value.producer->position()) : body_.nodes.begin());
  if (value.producer) builder.set_origin(value.producer->origin);
  Node* node = builder.add_node("cast", {{"x", &value}, {"dtype", dtype}}, value.name + "_to_" + dtype);
  return node->output();  // a cast of a float tensor cannot be refused
}

}  // namespace anemone
