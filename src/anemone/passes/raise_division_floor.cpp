// Raises a floor that guards a division to fp16's normal range.
// before:  %m = maximum(%x, 1e-6)        %z = real_div(y, %m)              (and clip(%x, alpha=1e-6))
// after:   %m = maximum(%x, 6.1e-5)      %z = real_div(y, %m)
// only if: the floor is one positive number below 6.1e-5 and divisions are all that reads %m
// why:     some engines flush what is below the normal range to zero, and the division is not guarded (ANE031). Between
//          the two floors fp16 has hardly a digit left; the quotient there was noise
#include <algorithm>

#include "anemone/ir/builder.h"
#include "anemone/ir/rewrite.h"
#include "anemone/passes/pass.h"

namespace anemone::passes {
namespace {

// Divisions are all that reads it, as what they divide by.
bool only_divides(const Value& value) {
  return value.output_uses == 0 && !value.uses.empty() &&
         std::all_of(value.uses.begin(), value.uses.end(), [](const Use& use) {
           return use.node->type == "real_div" && use.node->operands()[use.operand].param == "y";
         });
}

}  // namespace

Result<bool> raise_division_floor(Block& block, PassContext& context) {
  constexpr double kLeastNormal = 6.103515625e-05;
  bool changed = false;
  for (Node& node : block.nodes) {
    const bool clips = node.type == "clip";
    if ((!clips && node.type != "maximum") || !only_divides(*node.output())) continue;
    for (const std::string_view side : {clips ? "alpha" : "x", clips ? "alpha" : "y"}) {
      const Value* floor = node.input(side);
      const Constant* constant = payload(floor);
      if (!constant || constant->count() != 1) continue;
      const double least = scalar(*constant);
      if (!(least > 0) || least >= kLeastNormal) continue;
      if (clips && !(ConstantView(node).number("beta") > kLeastNormal)) continue;
      Builder builder(node);
      const double raised[] = {kLeastNormal};
      node.set(side, builder.constant(make_constant(constant->type.dtype, constant->type.dims, raised), floor->name));
      context.count("floors raised");
      changed = true;
    }
  }
  return changed;
}

}  // namespace anemone::passes
