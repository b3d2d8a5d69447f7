// Recognises the division by a Euclidean norm that is written out.
// before:  %s = reduce_sum(x=mul(x=%x, y=%x), axes=[-3, -2, -1], keep_dims=true)
//          %y = real_div(x=%x, y=sqrt(x=add(x=%s, y=1e-6)))
// after:   %y = l2_norm(x=%x, epsilon=1e-6)          (reduce_sum_square, reduce_l2_norm, rsqrt, powers likewise)
// only if: the sum goes over the last three dimensions together, as l2_norm's does; what is added is added under the root;
//          and it is cheaper, which it is not when somebody else needs a part
// why:     written out, the squares overflow in fp16 and the parts lose the engine's wide accumulator (rule ANE016)
#include <algorithm>

#include "anemone/ir/rewrite.h"
#include "anemone/ir/trial.h"
#include "anemone/passes/clamp.h"
#include "anemone/passes/pass.h"
#include "anemone/passes/written_norm.h"

namespace anemone::passes {
namespace {

struct Quotient {
  Value* x = nullptr;
  const Node* sum = nullptr;  // of the squares of x
  double epsilon = 0;         // under the root
  std::string refusal;        // why it is not an l2_norm, although it looks like one
};

// The reduction to Σx², of which kept dimensions say where it belongs.
const Node* sum_of_squares(const Value* value, const Value* x) {
  const Node* sum = value ? value->producer : nullptr;
  if (!sum || !is(*sum, kReduction) || !payload(sum->input("axes")) || !ConstantView(*sum).flag("keep_dims"))
    return nullptr;
  const bool squares = sum->type == "reduce_sum_square" || sum->type == "reduce_l2_norm";
  if (!squares && sum->type != "reduce_sum") return nullptr;
  return (squares ? sum->input("x") : square_of(sum->input("x"))) == x ? sum : nullptr;
}

// What a floor or a sum with a number starts from, or the value itself.
const Value* below_a_floor(const Value* value) {
  const Node* node = value->producer;
  if (const auto floor = with_number(node, "maximum")) return floor->x;
  const auto clamp = node ? clamp_of(*node) : std::nullopt;
  return clamp ? clamp->x : value;
}
const Value* without_number(const Value* value) {
  const auto sum = with_number(value->producer, "add");
  return sum ? sum->x : value;
}

std::optional<Quotient> quotient_of(const Node& node) {
  Quotient q;
  if (const auto over = over_root(node)) {
    const auto added = with_number(over->radicand->producer, "add");
    q.x = over->x;
    q.epsilon = over->epsilon + (added ? added->number : 0);
    q.sum = sum_of_squares(added ? added->x : over->radicand, q.x);
    if (!q.sum && (q.sum = sum_of_squares(below_a_floor(over->radicand), q.x)))
      q.refusal = "the sum has a floor, and l2_norm adds to it";
  } else if (node.type == "real_div") {
    q.x = node.input("x");
    const Value* norm = node.input("y");
    q.sum = sum_of_squares(norm, q.x);
    if (!q.sum && (q.sum = sum_of_squares(below_a_floor(norm), q.x)))
      q.refusal = "the norm has a floor, and l2_norm adds under the root: they differ near the floor";
    if (!q.sum && (q.sum = sum_of_squares(without_number(norm), q.x)))
      q.refusal = "the number is added to the norm, and l2_norm adds under the root";
  }
  const bool rooted = q.sum && q.sum->type == "reduce_l2_norm";
  return q.sum && rooted == !over_root(node) && q.epsilon >= 0 ? std::optional(q) : std::nullopt;
}

// Extents of 1 count as one likes.
bool is_over_the_last_three(const Dims& dims, const Dims& axes) {
  constexpr std::size_t kLeastRank = 3, kLargestRank = 5;
  if (dims.size() < kLeastRank || dims.size() > kLargestRank) return false;
  for (std::size_t d = 0; d < dims.size(); ++d) {
    const bool summed = std::find(axes.begin(), axes.end(), static_cast<std::int64_t>(d)) != axes.end();
    if (dims[d] != 1 && summed != (d + kLeastRank >= dims.size())) return false;
  }
  return true;
}

}  // namespace

Result<bool> fuse_l2_norm(Block& block, PassContext& context) {
  bool changed = false;
  for (auto at = block.nodes.begin(); at != block.nodes.end();) {
    Node& node = *at++;
    const auto quotient = quotient_of(node);
    if (!quotient || !quotient->x->type.is_fixed() || quotient->x->type != node.output()->type) continue;
    std::string refusal = quotient->refusal;
    if (!is_over_the_last_three(quotient->x->type.dims, reduced_axes(*quotient->sum)))
      refusal = "l2_norm goes over the last three dimensions together";
    if (!refusal.empty()) {
      context.remark(node, "kept: " + refusal);
      continue;
    }
    Trial trial(node);
    const ConstantPtr epsilon = make_scalar(quotient->x->type.dtype, quotient->epsilon);
    trial.replace(*node.output(), *trial.builder().add("l2_norm", {{"x", quotient->x}, {"epsilon", epsilon}}));
    if (trial.keep_if_cheaper(context.costs())) {
      context.count("norms recognised");
      changed = true;
    } else {
      context.remark(node, "kept: an l2_norm would cost more, for others need the parts");
    }
  }
  return changed;
}

}  // namespace anemone::passes
