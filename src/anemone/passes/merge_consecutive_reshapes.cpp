// Makes one reshape of a chain of views.
// before:  %a = squeeze(x=%x)   %b = reshape(x=%a, shape=[…])   %c = expand_dims(x=%b, axes=[0])
// after:   %c = reshape(x=%x, shape=[…])
// only if: the last shape is known, and nobody else reads what is between
// why:     each of them is an operation to place; frontends write shapes step by step
#include "anemone/ir/rewrite.h"
#include "anemone/ir/trial.h"
#include "anemone/passes/pass.h"

namespace anemone::passes {

Result<bool> merge_consecutive_reshapes(Block& block, PassContext& context) {
  const auto is_view = [](const Node* node) { return node && is(*node, kView) && node->input("x"); };
  bool changed = false;
  for (auto at = block.nodes.begin(); at != block.nodes.end();) {
    Node& last = *at++;
    if (!is_view(&last)) continue;
    const Value& result = *last.output();
    if (!result.type.is_fixed() || result.type.dims.empty()) continue;
    const Node* user = only_user(&result);
    if (is_view(user) && same_block(*user, last) && user->output()->type.is_fixed()) continue;  // the chain goes on
    Value* x = last.input("x");
    std::size_t length = 1;
    while (is_view(x->producer) && only_user(x) && same_block(*x->producer, last))
      x = x->producer->input("x"), ++length;
    if (length == 1) continue;
    Trial trial(last);
    trial.replace(*last.output(), *trial.builder().add("reshape", {{"x", x}, {"shape", result.type.dims}}));
    if (!trial.keep()) continue;
    context.count("views merged", length);
    changed = true;
  }
  return changed;
}

}  // namespace anemone::passes
