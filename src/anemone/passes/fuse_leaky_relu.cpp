// Recognises leaky_relu and prelu that are written out.
// before:  %s = mul(x=%x, y=0.1)   %y = maximum(x=%x, y=%s)
// after:   %y = leaky_relu(x=%x, alpha=0.1)
//          and relu(x) + k·relu(-x): leaky_relu with alpha=-k, or prelu where k is one number a channel (also with sub)
// only if: a maximum's slope lies between 0 and 1, and it is cheaper
// why:     one pass over the tensor instead of two to five
#include "anemone/ir/rewrite.h"
#include "anemone/ir/trial.h"
#include "anemone/passes/conv_affine.h"
#include "anemone/passes/pass.h"
#include "anemone/passes/until_stable.h"

namespace anemone::passes {
namespace {

// What x is multiplied with below zero: one number, or one a channel.
struct Slopes {
  Value* x = nullptr;
  std::vector<double> values;
};

Slopes of_maximum(const Node& node) {
  for (const auto& [side, other] : {std::pair("x", "y"), std::pair("y", "x")}) {
    Value* x = node.input(side);
    const auto scaled = with_number(node.input(other)->producer, "mul");
    if (scaled && scaled->x == x && scaled->number >= 0 && scaled->number <= 1) return {x, {scaled->number}};
  }
  return {};
}

// x where the value is relu(-x).
Value* negated_inside(const Value* value) {
  const Node* relu = producer(value, "relu");
  const Node* inner = relu ? relu->input("x")->producer : nullptr;
  if (const auto product = with_number(inner, "mul")) return product->number == -1 ? product->x : nullptr;
  return inner && inner->type == "sub" && number_of(inner->input("x")) == 0.0 ? inner->input("y") : nullptr;
}

// relu(x) ± k·relu(-x)
Slopes of_sum(const Node& node) {
  for (const auto& [side, other] : {std::pair("x", "y"), std::pair("y", "x")}) {
    const Node* positive = producer(node.input(side), "relu");
    const auto step = node.input(other)->producer ? affine_step(*node.input(other)->producer) : std::nullopt;
    if (!positive || !step || step->x->producer == positive) continue;
    if (node.type == "sub" && std::string_view(side) == "y") continue;
    if (negated_inside(step->x) != positive->input("x")) continue;
    Slopes slopes{positive->input("x"), step->affine.scale};
    for (std::size_t c = 0; c < slopes.values.size(); ++c) {
      if (step->affine.shift[c] != 0) return {};
      slopes.values[c] *= node.type == "add" ? -1 : 1;
    }
    return slopes;
  }
  return {};
}

Value* rectified(Builder& builder, const Slopes& slopes) {
  const DType dtype = slopes.x->type.dtype;
  bool same = true;
  for (const double slope : slopes.values) same = same && slope == slopes.values[0];
  if (same) return builder.add("leaky_relu", {{"x", slopes.x}, {"alpha", make_scalar(dtype, slopes.values[0])}});
  const auto channels = static_cast<std::int64_t>(slopes.values.size());
  const ConstantPtr alpha = make_constant(dtype, {channels}, std::span<const double>(slopes.values));
  return builder.add("prelu", {{"x", slopes.x}, {"alpha", alpha}});
}

}  // namespace

Result<bool> fuse_leaky_relu(Block& block, PassContext& context) {
  return until_stable([&] {
    bool changed = false;
    for (auto at = block.nodes.begin(); at != block.nodes.end();) {
      Node& node = *at++;
      Slopes slopes;
      if (node.type == "maximum") slopes = of_maximum(node);
      if (node.type == "add" || node.type == "sub") slopes = of_sum(node);
      if (!slopes.x) continue;
      Trial trial(node);
      trial.replace(*node.output(), *rectified(trial.builder(), slopes));
      if (!trial.keep_if_cheaper(context.costs())) continue;
      context.count("activations recognised");
      changed = true;
    }
    return changed;
  });
}

}  // namespace anemone::passes
