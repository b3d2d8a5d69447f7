// Recognises a mean that is written as a sum and a division.
// before:  %s = reduce_sum(x=%x, axes=[2, 3])   %y = real_div(x=%s, y=4096)              (and mul by 1/4096)
// after:   %y = reduce_mean(x=%x, axes=[2, 3])
// only if: the number is that of what is summed up, which is known, and nobody else reads %s
// why:     one operation less, and no sum that fp16 cannot hold
#include <cmath>

#include "anemone/ir/rewrite.h"
#include "anemone/ir/trial.h"
#include "anemone/passes/pass.h"
#include "anemone/passes/until_stable.h"

namespace anemone::passes {
namespace {

// How many numbers each sum is made of; 0 when that is not known.
double summed(const Node& sum) {
  const Type& type = sum.input("x")->type;
  if (!type.is_fixed() || !have_payloads(sum, {"axes", "keep_dims"})) return 0;
  const double all = static_cast<double>(element_count(type.dims).value_or(0));
  const double left = static_cast<double>(element_count(sum.output()->type.dims).value_or(0));
  return left > 0 ? all / left : 0;
}

}  // namespace

Result<bool> fuse_reduce_mean(Block& block, PassContext& context) {
  return until_stable([&] {
    constexpr double kLastBits = 1e-3;  // of a reciprocal in fp16
    bool changed = false;
    for (auto at = block.nodes.begin(); at != block.nodes.end();) {
      Node& node = *at++;
      const auto quotient = with_number(&node, "real_div"), product = with_number(&node, "mul");
      if (!quotient && !product) continue;
      Value* value = quotient ? quotient->x : product->x;
      const double count = quotient ? quotient->number : 1 / product->number;
      Node* sum = producer(value, "reduce_sum");
      if (!sum || only_user(value) != &node || !same_block(*sum, node) || value->type != node.output()->type) continue;
      const double expected = summed(*sum);
      if (expected < 1 || std::abs(count - expected) > (quotient ? 0 : kLastBits * expected)) continue;
      Trial trial(node);
      const auto as_before = [&](std::string_view param) {
        const Operand* operand = sum->operand(param);
        return Argument(operand ? operand->values : std::vector<Value*>{});
      };
      Value* mean = trial.builder().add(
          "reduce_mean", {{"x", sum->input("x")}, {"axes", as_before("axes")}, {"keep_dims", as_before("keep_dims")}});
      trial.replace(*node.output(), *mean);
      if (!trial.keep_if_cheaper(context.costs())) continue;
      context.count("means recognised");
      changed = true;
    }
    return changed;
  });
}

}  // namespace anemone::passes
