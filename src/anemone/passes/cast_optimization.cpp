// Makes one cast of two.
// before:  %a = cast(x=%x, dtype="fp32")   %b = cast(x=%a, dtype="fp16")       (%x is fp16)
// after:   %b is %x
// only if: the dtype between holds every number of the first one
// why:     frontends compute in one dtype and store in another; each cast is a pass over the tensor
#include "anemone/ir/builder.h"
#include "anemone/ir/rewrite.h"
#include "anemone/passes/dtypes.h"
#include "anemone/passes/pass.h"

namespace anemone::passes {
Result<bool> cast_optimization(Block& block, PassContext& context) {
  bool changed = false;
  for (auto at = block.nodes.begin(); at != block.nodes.end();) {
    Node& second = *at++;
    const Node* first = second.type == "cast" ? producer(second.input("x"), "cast") : nullptr;
    Value* x = first ? first->input("x") : nullptr;
    if (!x || !holds(first->output()->type.dtype, x->type.dtype)) continue;
    if (x->type == second.output()->type) {
      if (!replace_with(second, *x)) continue;
    } else {
      second.set("x", x);
    }
    context.count("casts merged");
    changed = true;
  }
  return changed;
}

}  // namespace anemone::passes
