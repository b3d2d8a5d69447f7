// Makes one matrix product and one division of the centre of a map.
// before:  %m = maximum(x=reduce_sum(%x), y=1e-6)    %u = real_div(x=reduce_sum(mul(%x, g)), y=%m)    %v likewise with h
//          %y = stack(values=(%u, %v), axis=-1)
// after:   %s = matmul(x=reshape(%x, [N, C, H·W]), y=[g, h, 1])    %m = maximum(x=slice(%s, 2), y=1e-6)
//          %y = real_div(x=slice(%s, 0 to 2), y=%m)
// only if: %x is [N, C, H, W], g and h are plain constants over the map, and it is cheaper; a concat of what got a last
//          axis of 1 is a stack, a clip may be the floor, and there may be none
// why:     see fuse_weighted_sums; what is left has as few operations as there can be
#include <algorithm>

#include "anemone/ir/rewrite.h"
#include "anemone/ir/trial.h"
#include "anemone/passes/pass.h"
#include "anemone/passes/until_stable.h"
#include "anemone/passes/weighted_sum.h"

namespace anemone::passes {
namespace {

// What is joined along a new last axis, each of rank 2; empty where the node does something else.
std::vector<Value*> joined(const Node& node) {
  const bool stacks = node.type == "stack";
  if ((!stacks && node.type != "concat") || node.output()->type.rank() != 3) return {};
  const std::int64_t axis = ConstantView(node).integer("axis");
  if ((axis != 2 && axis != -1) || (!stacks && ConstantView(node).flag("interleave"))) return {};
  std::vector<Value*> values = node.operand("values")->values;
  for (Value*& value : values) {
    if (stacks) continue;
    const Node* view = value->producer;
    if (!view || (view->type != "reshape" && view->type != "expand_dims") || value->type.dims.back() != 1) return {};
    value = view->input("x");
    Dims dims = value->type.dims;
    dims.push_back(1);
    if (dims != view->output()->type.dims) return {};
  }
  return values;
}

struct Centre {
  std::vector<WeightedSum> sums;  // the numerators, then the divisor
  Node* floor = nullptr;          // of the divisor; may be absent
};

std::optional<WeightedSum> sum_of(const Value* value, const Value* x) {
  auto sum = value && value->producer ? weighted_sum(*value->producer) : std::nullopt;
  return sum && (!x || sum->x == x) ? sum : std::nullopt;
}

std::optional<Centre> centre_of(const Node& node) {
  Centre centre;
  const Value *divisor = nullptr, *x = nullptr;
  for (const Value* value : joined(node)) {
    const Node* division = producer(value, "real_div");
    if (!division || value->type.rank() != 2 || (divisor && division->input("y") != divisor)) return std::nullopt;
    divisor = division->input("y");
    auto sum = sum_of(division->input("x"), x);
    if (!sum || sum->reduction->output()->type != value->type || divisor->type != value->type) return std::nullopt;
    x = sum->x;
    centre.sums.push_back(*std::move(sum));
  }
  if (!divisor || !divisor->producer) return std::nullopt;
  const Value* mass = divisor;
  const bool clipped = divisor->producer->type == "clip";
  if (clipped || with_number(divisor->producer, "maximum")) {
    centre.floor = divisor->producer;
    mass = clipped ? centre.floor->input("x") : with_number(centre.floor, "maximum")->x;
  }
  auto sum = sum_of(mass, x);
  if (!sum || sum->reduction->output()->type != divisor->type) return std::nullopt;
  centre.sums.push_back(*std::move(sum));
  return centre;
}

bool fuse(Node& node, const Centre& centre, PassContext& context) {
  Trial trial(node);
  Builder& builder = trial.builder();
  Value* all = as_matrix_product(builder, centre.sums);
  const auto count = static_cast<std::int64_t>(centre.sums.size()) - 1;
  Value* moments = columns(builder, all, 0, count, false);
  Value* mass = columns(builder, all, count, 1, false);
  if (centre.floor) {
    const bool left = number_of(centre.floor->input("x")).has_value();
    mass = builder.add_like(*centre.floor, {{left ? "y" : "x", mass}});
  }
  trial.replace(*node.output(), *builder.add("real_div", {{"x", moments}, {"y", mass}}));
  if (trial.keep_if_cheaper(context.costs())) {
    context.count("centres of maps fused");
    return true;
  }
  context.remark(node, "kept: a matrix product would cost more");
  return false;
}

}  // namespace

Result<bool> fuse_soft_argmax(Block& block, PassContext& context) {
  return until_stable([&] {
    bool changed = false;
    for (auto at = block.nodes.begin(); at != block.nodes.end();) {
      Node& node = *at++;
      const auto centre = centre_of(node);
      if (centre) changed |= fuse(node, *centre, context);
    }
    return changed;
  });
}

}  // namespace anemone::passes
