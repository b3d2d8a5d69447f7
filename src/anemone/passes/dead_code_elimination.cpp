// Removes what no output needs.
// before:  %a = relu(x=%x)   %b = sigmoid(x=%x)   -> (%b)
// after:   %b = sigmoid(x=%x)                      -> (%b)
// only if: the operation has no effect of its own (write_state has)
// why:     outputs that were not selected, and what other passes leave behind
#include "anemone/ir/sweep.h"
#include "anemone/passes/pass.h"

namespace anemone::passes {

Result<bool> dead_code_elimination(Block& block, PassContext& context) {
  const Swept swept = sweep(block);
  if (swept.nodes > 0) context.count("operations removed", swept.nodes);
  if (swept.constants > 0) context.count("constants removed", swept.constants);
  return swept.changed;
}

}  // namespace anemone::passes
