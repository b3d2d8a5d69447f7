// Answers comparisons that the bounds of their operands decide.
// before:  %c = clip(x=%x, alpha=0, beta=1)   %m = greater(x=%c, y=1)     %n = less(x=relu(%x), y=0)
// after:   %m is false, %n is false           (the other comparisons likewise, and those of a value with itself)
// only if: NaN, for which every comparison but not_equal is false, would be answered alike, or cannot be there
// why:     what is selected by the answer is known then, and the rest is dead
#include "anemone/ir/rewrite.h"
#include "anemone/ir/trial.h"
#include "anemone/passes/bounds.h"
#include "anemone/passes/pass.h"

namespace anemone::passes {
namespace {

// What holds for all numbers within the bounds.
std::optional<bool> always_greater(const Bounds& x, const Bounds& y) {
  if (x.low > y.high) return true;
  if (x.high <= y.low) return false;
  return std::nullopt;
}

std::optional<bool> always_equal(const Bounds& x, const Bounds& y) {
  if (x.high < y.low || y.high < x.low) return false;
  if (x.low == x.high && y.low == y.high) return true;
  return std::nullopt;
}

std::optional<bool> opposite(std::optional<bool> answer) { return answer ? std::optional(!*answer) : answer; }

// NaN apart; nothing for what is no comparison.
std::optional<bool> answer_of(std::string_view type, const Bounds& x, const Bounds& y, bool same_value) {
  if (type == "greater") return same_value ? false : always_greater(x, y);
  if (type == "less") return same_value ? false : always_greater(y, x);
  if (type == "less_equal") return same_value ? true : opposite(always_greater(x, y));
  if (type == "greater_equal") return same_value ? true : opposite(always_greater(y, x));
  if (type == "equal") return same_value ? true : always_equal(x, y);
  if (type == "not_equal") return same_value ? false : opposite(always_equal(x, y));
  return std::nullopt;
}

bool fold(Node& node, PassContext& context) {
  constexpr std::int64_t kMostElements = 1 << 16;  // a larger constant costs more than it tells
  const Value *x = node.input("x"), *y = node.input("y");
  if (node.outputs.size() != 1 || !x || !y || !node.output()->type.is_fixed()) return false;
  if (node.output()->type.dtype != DType::boolean || x->type.dtype == DType::boolean) return false;
  const Bounds p = bounds_of(*x), q = bounds_of(*y);
  const auto answer = answer_of(node.type, p, q, x == y);
  if (!answer) return false;
  const bool answer_for_nan = node.type == "not_equal";
  if (*answer != answer_for_nan && (p.may_be_nan || q.may_be_nan)) {
    context.remark(node, *answer ? "kept: always true, but for NaN" : "kept: always false, but for NaN");
    return false;
  }
  const Dims& dims = node.output()->type.dims;
  const std::int64_t count = element_count(dims).value_or(kMostElements + 1);
  if (count > kMostElements || node.output()->output_uses > 0) {
    context.remark(node, "kept: known, but a large constant or an output");
    return false;
  }
  const std::vector<double> all(static_cast<std::size_t>(count), *answer);
  Trial trial(node);
  const auto constant = make_constant(DType::boolean, dims, std::span<const double>(all));
  trial.replace(*node.output(), *trial.builder().constant(constant));
  if (!trial.keep()) return false;
  context.count("comparisons answered");
  return true;
}

}  // namespace

Result<bool> fold_bounded_comparisons(Block& block, PassContext& context) {
  bool changed = false;
  for (auto at = block.nodes.begin(); at != block.nodes.end();) {
    Node& node = *at++;
    if (is(node, kElementwise)) changed |= fold(node, context);  // and the node may be gone
  }
  return changed;
}

}  // namespace anemone::passes
