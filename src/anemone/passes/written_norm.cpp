// Several ways to write the same.
#include "anemone/passes/written_norm.h"

#include <algorithm>

#include "anemone/ir/op_def.h"
#include "anemone/ir/rewrite.h"

namespace anemone::passes {
namespace {

Value* power_of(const Node* node, double exponent) {
  const auto power = with_number(node, "pow");
  return power && power->number == exponent ? power->x : nullptr;
}

}  // namespace

Dims reduced_axes(const Node& reduction) {
  Dims axes = ConstantView(reduction).ints("axes");
  for (std::int64_t& axis : axes) axis += axis < 0 ? reduction.input("x")->type.rank() : 0;
  std::sort(axes.begin(), axes.end());
  return axes;
}

Value* square_of(const Value* value) {
  const Node* node = value ? value->producer : nullptr;
  if (!node) return nullptr;
  if (node->type == "square") return node->input("x");
  if (node->type == "mul" && node->input("x") == node->input("y")) return node->input("x");
  return power_of(node, 2);
}

std::optional<OverRoot> over_root(const Node& node) {
  constexpr double kHalf = 0.5;
  if (node.type == "real_div") {
    const Node* root = node.input("y")->producer;
    if (!root) return std::nullopt;
    Value* radicand = root->type == "sqrt" ? root->input("x") : power_of(root, kHalf);
    return radicand ? std::optional(OverRoot{node.input("x"), radicand, 0}) : std::nullopt;
  }
  if (node.type != "mul") return std::nullopt;
  for (const auto& [x, r] : {std::pair("x", "y"), std::pair("y", "x")}) {
    const Node* root = node.input(r)->producer;
    if (!root) continue;
    if (root->type == "rsqrt" && have_payloads(*root, {"epsilon"}))
      return OverRoot{node.input(x), root->input("x"), ConstantView(*root).number("epsilon")};
    if (Value* radicand = power_of(root, -kHalf)) return OverRoot{node.input(x), radicand, 0};
  }
  return std::nullopt;
}

}  // namespace anemone::passes
