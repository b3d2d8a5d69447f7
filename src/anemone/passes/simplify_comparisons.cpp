// Compares with what was there before it was clamped.
// before:  %c = clip(x=%x, alpha=0, beta=1)   %m = greater(x=%c, y=0.05)         (and relu; the other comparisons likewise)
// after:                                      %m = greater(x=%x, y=0.05)
// only if: the number lies where clamping cannot change the answer, and nobody else reads %c
// why:     one operation and one pass over the tensor less
#include "anemone/ir/rewrite.h"
#include "anemone/passes/clamp.h"
#include "anemone/passes/pass.h"
#include "anemone/passes/until_stable.h"

namespace anemone::passes {
namespace {

// Is clamp(x) ∘ number the same as x ∘ number for every x? `strict_above`: the comparison tells numbers above `number`
// from the rest (greater, less_equal); else those below it (less, greater_equal).
bool same_answer(const Clamp& clamp, double number, bool strict_above) {
  return strict_above ? clamp.low <= number && number < clamp.high : clamp.low < number && number <= clamp.high;
}

}  // namespace

Result<bool> simplify_comparisons(Block& block, PassContext& context) {
  return until_stable([&] {
    bool changed = false;
    for (Node& node : block.nodes) {
      const bool above = node.type == "greater" || node.type == "less_equal";
      if (!above && node.type != "less" && node.type != "greater_equal") continue;
      for (const auto& [side, other] : {std::pair("x", "y"), std::pair("y", "x")}) {
        const auto number = number_of(node.input(other));
        const Value* value = node.input(side);
        const auto clamp = number && only_user(value) && value->producer ? clamp_of(*value->producer) : std::nullopt;
        const bool from_the_left = std::string_view(side) == "x";
        if (!clamp || !same_answer(*clamp, *number, above == from_the_left)) continue;
        node.set(side, clamp->x);
        context.count("clamps removed");
        changed = true;
      }
    }
    return changed;
  });
}

}  // namespace anemone::passes
