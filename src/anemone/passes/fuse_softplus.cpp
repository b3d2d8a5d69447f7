// Recognises softplus that is written out.
// before:  %e = exp(x=%x)   %s = add(x=%e, y=1)   %y = log(x=%s)
// after:   %y = softplus(x=%x)
// only if: it is cheaper
// why:     three passes over the tensor become one, and large numbers do not overflow on the way
#include "anemone/ir/rewrite.h"
#include "anemone/ir/trial.h"
#include "anemone/passes/pass.h"

namespace anemone::passes {

Result<bool> fuse_softplus(Block& block, PassContext& context) {
  constexpr double kLargestEpsilon = 1e-6;  // that is nothing beside the 1 of the sum
  bool changed = false;
  for (auto at = block.nodes.begin(); at != block.nodes.end();) {
    Node& node = *at++;
    if (node.type != "log" || !have_payloads(node, {"epsilon"})) continue;
    const auto sum = with_number(node.input("x")->producer, "add");
    const Node* exp = sum && sum->number == 1 ? producer(sum->x, "exp") : nullptr;
    if (!exp || ConstantView(node).number("epsilon") > kLargestEpsilon) continue;
    Trial trial(node);
    trial.replace(*node.output(), *trial.builder().add("softplus", {{"x", exp->input("x")}}));
    if (!trial.keep_if_cheaper(context.costs())) continue;
    context.count("activations recognised");
    changed = true;
  }
  return changed;
}

}  // namespace anemone::passes
