// Multiplies the matrices of 1x1 convolutions that follow each other, through sums and concatenations.
// before:  %a = conv(x=%p, weight=M, bias=b)   %s = add(x=%a, y=%q)              %y = conv(x=%s, weight=W)
// after:   %c = concat(values=(%p, %q), axis=1)                                  %y = conv(x=%c, weight=[W·M | W], bias=W·b)
// only if: both convolutions have kernel and stride 1, one group, no padding and plain weights, nobody else reads what
//          lies between, and it is cheaper
// why:     the sum is a pass over a whole tensor, and so is what it reads; the products are made once, in double
#include "anemone/ir/rewrite.h"
#include "anemone/ir/trial.h"
#include "anemone/passes/pass.h"
#include "anemone/passes/pointwise_sum.h"
#include "anemone/passes/until_stable.h"

namespace anemone::passes {
namespace {

constexpr std::size_t kMostWork = std::size_t{1} << 28;  // multiply-adds of a pass over a block: a third of a second

bool is_cheaper(Node& node, const PointwiseSum& sum, PassContext& context) {
  Trial trial(node);
  trial.replace(*node.output(), *sum.build(trial.builder()));
  return trial.cost_of_new(context.costs()) < trial.cost_of_old(context.costs());
}

}  // namespace

Result<bool> compose_pointwise_convs(Block& block, PassContext& context) {
  return until_stable([&] {
    bool changed = false;
    std::size_t work = 0;
    for (auto at = block.nodes.begin(); at != block.nodes.end();) {
      Node& node = *at++;
      if (!is_pointwise(node)) continue;
      const PointwiseSum priced(node, Content::shapes);
      if (priced.convolutions() == 0 || work + priced.work() > kMostWork) continue;
      if (!is_cheaper(node, priced, context)) {
        context.remark(node, "kept: composed with those before it, it would cost more");
        continue;
      }
      work += priced.work();
      Trial trial(node);
      trial.replace(*node.output(), *PointwiseSum(node, Content::numbers).build(trial.builder()));
      if (!trial.keep()) continue;
      context.count("convolutions composed", priced.convolutions());
      changed = true;
    }
    return changed;
  });
}

}  // namespace anemone::passes
