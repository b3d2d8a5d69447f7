// Takes the branch of a select that is known, and asks what it selects by without a detour.
// before:  %y = select(cond=true, a=%a, b=%b)               (or a and b the same value)
// after:   %y is %a
// before:  %y = select(cond=logical_not(%c), a=%a, b=%b)    %z = select(cond=%c, a=select(cond=%c, a=%p, b=%q), b=%b)
// after:   %y = select(cond=%c, a=%b, b=%a)                 %z = select(cond=%c, a=%p, b=%b)
// only if: the condition is the same everywhere, the branch has the type of the result, and an output keeps its name
// why:     exporters write masks that are constant for one size
#include "anemone/ir/rewrite.h"
#include "anemone/passes/pass.h"
#include "anemone/passes/until_stable.h"

namespace anemone::passes {
namespace {

bool take_branch(Node& select, PassContext& context) {
  Value *a = select.input("a"), *b = select.input("b");
  const auto condition = number_of(select.input("cond"));
  if (!condition && a != b) return false;
  Value* branch = condition == 0.0 ? b : a;
  if (branch->type != select.output()->type || !replace_with(select, *branch)) {
    context.remark(select, "kept: the branch has another type, or cannot take the name");
    return false;
  }
  context.count("branches taken");
  return true;
}

bool ask_directly(Node& select, PassContext& context) {
  const Node* negation = producer(select.input("cond"), "logical_not");
  if (negation) {
    Value *a = select.input("a"), *b = select.input("b");
    select.set("cond", negation->input("x"));
    select.set("a", b);
    select.set("b", a);
    context.count("negations removed");
  }
  bool changed = negation;
  for (const std::string_view branch : {"a", "b"}) {
    const Value* value = select.input(branch);
    const Node* inner = producer(value, "select");
    if (!inner || inner->input("cond") != select.input("cond") || inner->input(branch)->type != value->type) continue;
    select.set(branch, inner->input(branch));
    context.count("branches of branches taken");
    changed = true;
  }
  return changed;
}

}  // namespace

Result<bool> select_optimization(Block& block, PassContext& context) {
  return until_stable([&] {
    bool changed = false;
    for (auto at = block.nodes.begin(); at != block.nodes.end();) {
      Node& node = *at++;
      if (node.type != "select") continue;
      if (take_branch(node, context)) {
        changed = true;  // and the node is gone
      } else {
        changed |= ask_directly(node, context);
      }
    }
    return changed;
  });
}

}  // namespace anemone::passes
