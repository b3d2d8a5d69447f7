// Compares with what was there before it was clamped or widened, and negates by the opposite comparison.
// before:  %c = clip(x=%x, alpha=0, beta=1)   %m = greater(x=%c, y=0.05)         (and relu; the other comparisons likewise)
// after:                                      %m = greater(x=%x, y=0.05)
// before:  %m = greater(x=cast(%p, "fp32"), y=cast(%q, "fp32"))                  (or a number that %p's dtype has)
// after:   %m = greater(x=%p, y=%q)
// before:  %m = logical_not(x=equal(x=%p, y=%q))                                 (and logical_not(logical_not(%p)))
// after:   %m = not_equal(x=%p, y=%q)                                            (%p)
// only if: the number lies where clamping cannot change the answer, and nobody else reads %c; widening loses nothing; the
//          opposite comparison answers alike for NaN, too: less and greater_equal do so for whole numbers only
// why:     one operation and one pass over the tensor less
#include <array>

#include "anemone/ir/rewrite.h"
#include "anemone/ir/trial.h"
#include "anemone/passes/clamp.h"
#include "anemone/passes/dtypes.h"
#include "anemone/passes/pass.h"
#include "anemone/passes/until_stable.h"

namespace anemone::passes {
namespace {

// Of a comparison; empty for anything else.
std::string_view opposite_of(std::string_view type) {
  constexpr std::array kPairs{std::pair("greater", "less_equal"), std::pair("less", "greater_equal"),
                              std::pair("equal", "not_equal")};
  for (const auto& [one, other] : kPairs) {
    if (type == one) return other;
    if (type == other) return one;
  }
  return {};
}

// Is clamp(x) ∘ number the same as x ∘ number for every x? `strict_above`: the comparison tells numbers above `number`
// from the rest (greater, less_equal); else those below it (less, greater_equal).
bool same_answer(const Clamp& clamp, double number, bool strict_above) {
  return strict_above ? clamp.low <= number && number < clamp.high : clamp.low < number && number <= clamp.high;
}

bool is_comparison(const Node& node) { return !opposite_of(node.type).empty(); }

bool compare_unclamped(Node& node, PassContext& context) {
  const bool above = node.type == "greater" || node.type == "less_equal";
  if (!above && node.type != "less" && node.type != "greater_equal") return false;
  bool changed = false;
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
  return changed;
}

// The same numbers in the narrow dtype, or null.
Value* narrowed(Value* value, DType narrow, Builder& builder) {
  if (const Node* cast = producer(value, "cast"))
    return cast->input("x")->type.dtype == narrow ? cast->input("x") : nullptr;
  const auto number = number_of(value);
  if (!number) return nullptr;
  const ConstantPtr constant = make_scalar(narrow, *number);
  return scalar(*constant) == *number ? builder.constant(constant) : nullptr;
}

bool compare_narrow(Node& node, PassContext& context) {
  const Node* cast = producer(node.input("x"), "cast");
  if (!cast) cast = producer(node.input("y"), "cast");
  const DType narrow = cast ? cast->input("x")->type.dtype : DType::boolean, wide = node.input("x")->type.dtype;
  if (narrow == wide || (dtype_bit(narrow) & kNumbers) == 0) return false;  // comparisons take no others
  if (!holds(wide, narrow)) {
    context.remark(node, "kept: the cast rounds, so that it decides what is equal");
    return false;
  }
  Trial trial(node);
  Value *x = narrowed(node.input("x"), narrow, trial.builder()),
        *y = narrowed(node.input("y"), narrow, trial.builder());
  if (!x || !y) {
    context.remark(node, "kept: the other operand has no such dtype");
    return false;
  }
  trial.replace(*node.output(), *trial.builder().add(node.type, {{"x", x}, {"y", y}}));
  if (!trial.keep()) return false;
  context.count("casts removed");
  return true;
}

bool negate(Node& node, PassContext& context) {
  Node* inner = node.input("x")->producer;
  if (inner && inner->type == "logical_not") {
    if (!replace_with(node, *inner->input("x"))) return false;
    context.count("negations removed");
    return true;
  }
  if (!inner || !is_comparison(*inner) || only_user(inner->output()) != &node) return false;
  const bool ordered = inner->type != "equal" && inner->type != "not_equal";
  if (ordered && is_float(inner->input("x")->type.dtype)) {
    context.remark(node, "kept: of NaN, the opposite comparison is false, too");
    return false;
  }
  Trial trial(node);
  trial.replace(*node.output(),
                *trial.builder().add(opposite_of(inner->type), {{"x", inner->input("x")}, {"y", inner->input("y")}}));
  if (!trial.keep()) return false;
  context.count("negations removed");
  return true;
}

}  // namespace

Result<bool> simplify_comparisons(Block& block, PassContext& context) {
  return until_stable([&] {
    bool changed = false;
    for (auto at = block.nodes.begin(); at != block.nodes.end();) {
      Node& node = *at++;
      if (node.type == "logical_not") {
        changed |= negate(node, context);  // and the node may be gone
      } else if (is_comparison(node)) {
        changed |= compare_unclamped(node, context);
        changed |= compare_narrow(node, context);
      }
    }
    return changed;
  });
}

}  // namespace anemone::passes
