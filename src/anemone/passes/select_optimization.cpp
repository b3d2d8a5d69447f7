// Takes the branch of a select that is known.
// before:  %y = select(cond=true, a=%a, b=%b)               (or a and b the same value)
// after:   %y is %a
// only if: the condition is the same everywhere, the branch has the type of the result, and an output keeps its name
// why:     exporters write masks that are constant for one size
#include "anemone/ir/rewrite.h"
#include "anemone/passes/pass.h"

namespace anemone::passes {

Result<bool> select_optimization(Block& block, PassContext& context) {
  bool changed = false;
  for (auto at = block.nodes.begin(); at != block.nodes.end();) {
    Node& node = *at++;
    if (node.type != "select") continue;
    Value *a = node.input("a"), *b = node.input("b");
    const auto condition = number_of(node.input("cond"));
    if (!condition && a != b) continue;
    Value* branch = condition == 0.0 ? b : a;
    if (branch->type != node.output()->type || !replace_with(node, *branch)) {
      context.remark(node, "kept: the branch has another type, or cannot take the name");
      continue;
    }
    context.count("branches taken");
    changed = true;
  }
  return changed;
}

}  // namespace anemone::passes
