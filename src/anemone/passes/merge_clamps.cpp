// Makes one clamp of several.
// before:  %a = relu(x=%x)   %b = clip(x=%a, alpha=-1, beta=6)   %c = relu(x=%b)
// after:   %c = clip(x=%x, alpha=0, beta=6)
// only if: nobody else reads what lies between; a relu where nothing bounds it above, which is cheaper than a clip
// why:     frontends and quantisers leave chains of them
#include <algorithm>
#include <limits>

#include "anemone/ir/rewrite.h"
#include "anemone/ir/trial.h"
#include "anemone/passes/clamp.h"
#include "anemone/passes/pass.h"
#include "anemone/passes/until_stable.h"

namespace anemone::passes {

Result<bool> merge_clamps(Block& block, PassContext& context) {
  return until_stable([&] {
    bool changed = false;
    for (auto at = block.nodes.begin(); at != block.nodes.end();) {
      Node& node = *at++;
      const auto outer = clamp_of(node);
      if (!outer) continue;
      const Node* before = outer->x->producer;
      const auto inner =
          before && only_user(outer->x) == &node && same_block(*before, node) ? clamp_of(*before) : std::nullopt;
      const auto bounded = [&](double v) { return std::min(std::max(v, outer->low), outer->high); };
      Clamp both = *outer;
      if (inner) both = {inner->x, bounded(inner->low), bounded(inner->high)};
      const bool is_relu = both.low == 0 && both.high == std::numeric_limits<double>::infinity();
      if ((!inner && (!is_relu || node.type == "relu")) || !(both.low < both.high)) continue;
      Trial trial(node);
      Builder& builder = trial.builder();
      const DType dtype = both.x->type.dtype;
      Value* y = is_relu ? builder.add("relu", {{"x", both.x}})
                         : builder.add("clip", {{"x", both.x},
                                                {"alpha", make_scalar(dtype, both.low)},
                                                {"beta", make_scalar(dtype, both.high)}});
      trial.replace(*node.output(), *y);
      if (!trial.keep()) continue;
      context.count(inner ? "clamps merged" : "clips that are relus");
      changed = true;
    }
    return changed;
  });
}

}  // namespace anemone::passes
