// Raises a floor that guards a division to fp16's normal range.
// before:  %m = maximum(%x, 1e-6)        %z = real_div(y, %m)
// after:   %m = maximum(%x, 6.1e-5)      %z = real_div(y, %m)
// only if: the floor is one positive number below 6.1e-5 and the division is all that reads %m
// why:     some engines flush what is below the normal range to zero, and the division is not guarded (ANE031). Between
//          the two floors fp16 has hardly a digit left; the quotient there was noise
#include "anemone/ir/builder.h"
#include "anemone/ir/rewrite.h"
#include "anemone/passes/pass.h"

namespace anemone::passes {

Result<bool> raise_division_floor(Block& block, PassContext& context) {
  constexpr double kLeastNormal = 6.103515625e-05;
  bool changed = false;
  for (Node& maximum : block.nodes) {
    if (maximum.type != "maximum") continue;
    const Node* division = only_user(maximum.output());
    if (!division || division->type != "real_div" || division->input("y") != maximum.output()) continue;
    for (const std::string_view side : {"x", "y"}) {
      const Value* floor = maximum.input(side);
      const Constant* constant = payload(floor);
      if (!constant || constant->count() != 1) continue;
      const double least = scalar(*constant);
      if (!(least > 0) || least >= kLeastNormal) continue;
      Builder builder(maximum);
      const double raised[] = {kLeastNormal};
      maximum.set(side,
                  builder.constant(make_constant(constant->type.dtype, constant->type.dims, raised), floor->name));
      context.count("floors raised");
      changed = true;
    }
  }
  return changed;
}

}  // namespace anemone::passes
