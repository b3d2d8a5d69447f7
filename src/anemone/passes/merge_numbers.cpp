// Makes one sum or product with a number of two.
// before:  %a = mul(x=%x, y=0.5)   %y = mul(x=%a, y=0.1)           (add, sub and real_div likewise)
// after:   %y = mul(x=%x, y=0.05)
// only if: nobody else reads %a, the dtype holds the number, and numbers that are added have the same sign: others may be
//          there to round what lies between
// why:     one pass over the tensor and one rounding less
#include <cmath>

#include "anemone/ir/rewrite.h"
#include "anemone/ir/trial.h"
#include "anemone/passes/pass.h"
#include "anemone/passes/until_stable.h"

namespace anemone::passes {
namespace {

// x + number, or x · number.
struct Step {
  Value* x = nullptr;
  bool sum = false;
  double number = 0;
};

Step step_of(const Node& node) {
  if (const auto s = with_number(&node, "add")) return {s->x, true, s->number};
  if (const auto s = with_number(&node, "sub")) return {s->x, true, -s->number};
  if (const auto s = with_number(&node, "mul")) return {s->x, false, s->number};
  const auto s = with_number(&node, "real_div");
  return s && s->number != 0 ? Step{s->x, false, 1 / s->number} : Step{};
}

bool may_merge(const Step& a, const Step& b, double both, DType dtype) {
  constexpr double kLargestHalf = 65504, kLeastHalf = 6.103515625e-05;
  if (a.sum != b.sum || (a.sum && a.number * b.number < 0) || !std::isfinite(both)) return false;
  return dtype != DType::fp16 || both == 0 || (std::abs(both) <= kLargestHalf && std::abs(both) >= kLeastHalf);
}

}  // namespace

Result<bool> merge_numbers(Block& block, PassContext& context) {
  return until_stable([&] {
    bool changed = false;
    for (auto at = block.nodes.begin(); at != block.nodes.end();) {
      Node& outer = *at++;
      if (outer.outputs.size() != 1 || !is_float(outer.output()->type.tensor_part().dtype)) continue;
      const Step second = step_of(outer);
      const Node* inner = second.x ? second.x->producer : nullptr;
      if (!inner || inner->outputs.size() != 1 || only_user(second.x) != &outer || !same_block(*inner, outer)) continue;
      const Step first = step_of(*inner);
      if (!first.x || first.x->type != outer.output()->type) continue;
      const double both = first.sum ? first.number + second.number : first.number * second.number;
      const DType dtype = first.x->type.dtype;
      if (!may_merge(first, second, both, dtype)) continue;
      Trial trial(outer);
      Value* y = trial.builder().add(first.sum ? "add" : "mul", {{"x", first.x}, {"y", make_scalar(dtype, both)}});
      trial.replace(*outer.output(), *y);
      if (!trial.keep()) continue;
      context.count("numbers merged");
      changed = true;
    }
    return changed;
  });
}

}  // namespace anemone::passes
