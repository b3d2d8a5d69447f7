// Makes one matrix product of sums over a map, plain ones and ones that are weighted by constants.
// before:  %p = mul(x=%x, y=g)   %a = reduce_sum(x=%p, axes=[2, 3])   %b = reduce_sum(x=%x, axes=[2, 3])
// after:   %f = reshape(x=%x, shape=[N, C, H·W])   %s = matmul(x=%f, y=[g, 1])   %a = slice(%s, 0)   %b = slice(%s, 1)
// only if: %x is [N, C, H, W], g is a plain constant that is the same for each n and c, and it is cheaper
// why:     the products are written and read for nothing, and a sum of thousands is taken wide in a matrix product only:
//          engines do not promise that for a reduction (ANE013). This is how networks find the centre of a heat map
#include <algorithm>
#include <unordered_map>

#include "anemone/ir/rewrite.h"
#include "anemone/ir/trial.h"
#include "anemone/passes/pass.h"
#include "anemone/passes/until_stable.h"
#include "anemone/passes/weighted_sum.h"

namespace anemone::passes {
namespace {

bool fuse(const std::vector<WeightedSum>& sums, PassContext& context) {
  Trial trial(*sums[0].reduction);
  Builder& builder = trial.builder();
  Value* all = as_matrix_product(builder, sums);
  for (std::size_t i = 0; i < sums.size(); ++i) {
    Value& old = *sums[i].reduction->output();
    Value* one = columns(builder, all, static_cast<std::int64_t>(i), 1, true);
    if (one->type != old.type) one = builder.add("reshape", {{"x", one}, {"shape", old.type.dims}});
    trial.replace(old, *one);
  }
  if (trial.keep_if_cheaper(context.costs())) {
    context.count("sums fused", sums.size());
    return true;
  }
  context.remark(*sums[0].reduction, "kept: a matrix product would cost more");
  return false;
}

}  // namespace

Result<bool> fuse_weighted_sums(Block& block, PassContext& context) {
  return until_stable([&] {
    std::vector<std::vector<WeightedSum>> groups;  // of one value each, in the order of the first sum
    std::unordered_map<const Value*, std::size_t> group_of;
    for (Node& node : block.nodes) {
      auto sum = weighted_sum(node);
      if (!sum) continue;
      const auto [place, is_new] = group_of.insert({sum->x, groups.size()});
      if (is_new) groups.emplace_back();
      groups[place->second].push_back(*std::move(sum));
    }
    bool changed = false;
    for (const auto& group : groups) {
      const bool weighted =
          std::any_of(group.begin(), group.end(), [](const WeightedSum& s) { return s.reduction->input("x") != s.x; });
      if (weighted) changed |= fuse(group, context);
    }
    return changed;
  });
}

}  // namespace anemone::passes
