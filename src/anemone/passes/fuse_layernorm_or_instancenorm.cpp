// Recognises normalisations that are written out.
// before:  %m = reduce_mean(x=%x)   %d = sub(x=%x, y=%m)   %v = reduce_mean(x=square(%d))
//          %y = real_div(x=%d, y=sqrt(add(%v, epsilon)))   %z = add(x=mul(x=%y, y=gamma), y=beta)
//          (or in another order: %s = mul(x=rsqrt(…), y=gamma)   %z = add(x=mul(%x, %s), y=sub(beta, mul(%m, %s))))
// after:   %z = layer_norm(x=%x, axes, gamma, beta, epsilon), or instance_norm when the axes are those of the image
// only if: the axes are the last ones, and it is cheaper, which it is not when somebody else needs a part
// why:     written out, the squares overflow in fp16 and the parts lose the engine's wide accumulator (rule ANE016)
#include "anemone/ir/rewrite.h"
#include "anemone/ir/trial.h"
#include "anemone/passes/pass.h"
#include "anemone/passes/written_norm.h"

namespace anemone::passes {
namespace {

std::optional<Norm> norm_of(const Node& node) {
  const auto quotient = over_root(node);  // (x - mean(x)) / √variance
  Norm norm;
  norm.x = quotient ? centred(quotient->x, norm.axes) : nullptr;
  norm.epsilon = quotient ? quotient->epsilon : 0;
  if (!norm.x || !is_variance(quotient->radicand, norm)) return std::nullopt;
  return norm;
}

// What a following product or sum multiplies or adds.
struct Step {
  Node* node = nullptr;
  ConstantPtr constant;
};
Step step_after(const Value& value, std::string_view type, const Norm& norm) {
  Node* node = only_user(&value);
  if (!node || node->type != type || node->output()->type != value.type) return {};
  const ConstantPtr constant = norm_parameter(norm, node->input(node->input("x") == &value ? "y" : "x"));
  return constant ? Step{node, constant} : Step{};
}

// gamma·(x - m)/√v + beta in the order that leaves the least to do for each element: x·s + (beta - m·s), s = gamma/√v.
struct Regrouped {
  Norm norm;
  ConstantPtr gamma, beta;
};
std::optional<Regrouped> regrouped(const Node& sum) {
  for (const auto& [first, second] : {std::pair("x", "y"), std::pair("y", "x")}) {
    const Node *scaled = producer(sum.input(first), "mul"), *rest = producer(sum.input(second), "sub");
    const Node* shift = rest ? producer(rest->input("y"), "mul") : nullptr;
    if (!scaled || !shift) continue;
    for (const auto& [x, s] : {std::pair("x", "y"), std::pair("y", "x")}) {
      const Value* scale = scaled->input(s);
      const Node* m = mean(shift->input(shift->input("x") == scale ? "y" : "x"));
      const bool same_scale = shift->input("x") == scale || shift->input("y") == scale;
      if (!m || !same_scale || m->input("x") != scaled->input(x)) continue;
      Regrouped found;
      found.norm.x = scaled->input(x);
      found.norm.axes = reduced_axes(*m);
      const Value* root = scale;
      if (const Node* product = found.norm.is_regular() ? producer(scale, "mul") : nullptr) {
        const bool left = payload(product->input("x"));
        found.gamma = norm_parameter(found.norm, product->input(left ? "x" : "y"));
        if (found.gamma) root = product->input(left ? "y" : "x");
      }
      const Node* reciprocal = producer(root, "rsqrt");
      found.beta = found.norm.is_regular() ? norm_parameter(found.norm, rest->input("x")) : nullptr;
      if (!reciprocal || !found.beta || !have_payloads(*reciprocal, {"epsilon"})) continue;
      found.norm.epsilon = ConstantView(*reciprocal).number("epsilon");
      if (is_variance(reciprocal->input("x"), found.norm)) return found;
    }
  }
  return std::nullopt;
}

bool keep_norm(Node& end, const Norm& norm, const ConstantPtr& gamma, const ConstantPtr& beta, PassContext& context) {
  Trial trial(end);
  trial.replace(*end.output(), *add_norm(trial.builder(), norm, gamma, beta));
  if (!trial.keep_if_cheaper(context.costs())) return false;
  context.count("norms recognised");
  return true;
}

}  // namespace

Result<bool> fuse_layernorm_or_instancenorm(Block& block, PassContext& context) {
  bool changed = false;
  for (auto at = block.nodes.begin(); at != block.nodes.end();) {
    Node& node = *at++;
    if (const auto whole = node.type == "add" ? regrouped(node) : std::nullopt) {
      changed |= keep_norm(node, whole->norm, whole->gamma, whole->beta, context);
      continue;
    }
    const auto norm = norm_of(node);
    if (!norm || !norm->x->type.is_fixed()) continue;
    if (!norm->is_regular()) {
      context.remark(node, "kept: a norm over axes that are not the last ones");
      continue;
    }
    const Value* result = node.output();
    const Step gamma = step_after(*result, "mul", *norm);
    if (gamma.node) result = gamma.node->output();
    const Step beta = step_after(*result, "add", *norm);
    if (beta.node) result = beta.node->output();
    Node& end = *result->producer;
    if (&*at == gamma.node || (at != block.nodes.end() && &*at == beta.node)) at = std::next(end.position());
    changed |= keep_norm(end, *norm, gamma.constant, beta.constant, context);
  }
  return changed;
}

}  // namespace anemone::passes
