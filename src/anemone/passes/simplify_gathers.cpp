// Makes slices of gathers whose indices are known and evenly spaced.
// before:  %y = gather(x=%x, indices=[1, 2, 3], axis=1)
// after:   %y = slice_by_index(x=%x, 1 to 4 of axis 1)      ([0, 2, 4]: with a stride of 2; 3: axis 1 squeezed;
//          all in order: %x; all in reverse order: reverse(x=%x, axes=[1]))
// only if: extents are known, and indices are one number, or a vector that goes up by the same step, or down through all
// why:     a gather looks every index up at run time, on the CPU where the engine refuses it; a slice is a copy
#include "anemone/ir/rewrite.h"
#include "anemone/ir/trial.h"
#include "anemone/passes/pass.h"

namespace anemone::passes {
namespace {

struct Gather {
  Value* x;
  std::size_t axis;
  Dims indices;  // none negative
  bool squeezes;
};

std::optional<Gather> gather_of_known(const Node& node) {
  if (node.type != "gather" || !have_payloads(node, {"indices", "axis", "batch_dims", "validate_indices"}))
    return std::nullopt;
  Value* x = node.input("x");
  const Constant& indices = *node.constant("indices");
  if (!x->type.is_fixed() || x->type.rank() == 0 || indices.type.rank() > 1 || indices.count() == 0)
    return std::nullopt;
  const ConstantView view(node);
  if (view.integer("batch_dims") != 0) return std::nullopt;
  const std::int64_t axis = view.integer("axis");
  Gather gather{x, static_cast<std::size_t>(axis < 0 ? axis + x->type.rank() : axis), to_ints(indices),
                indices.type.rank() == 0};
  const std::int64_t extent = x->type.dims[gather.axis];
  for (std::int64_t& index : gather.indices) {
    if (index < 0) index += extent;
    if (index < 0 || index >= extent) return std::nullopt;
  }
  return gather;
}

// The common step from each index to the next; nothing when there is none.
std::optional<std::int64_t> step_of(const Dims& indices) {
  const std::int64_t step = indices.size() > 1 ? indices[1] - indices[0] : 1;
  for (std::size_t i = 1; i < indices.size(); ++i) {
    if (indices[i] - indices[i - 1] != step) return std::nullopt;
  }
  return step;
}

Value* slice(Builder& builder, const Gather& gather, std::int64_t step) {
  const std::size_t rank = gather.x->type.dims.size();
  Dims begin(rank, 0), end = gather.x->type.dims, stride(rank, 1);
  begin[gather.axis] = gather.indices.front();
  end[gather.axis] = gather.indices.back() + 1;
  stride[gather.axis] = step;
  if (gather.squeezes) {
    std::vector<bool> squeeze(rank, false);
    squeeze[gather.axis] = true;
    return builder.add("slice_by_index",
                       {{"x", gather.x}, {"begin", begin}, {"end", end}, {"squeeze_mask", make_bools(squeeze)}});
  }
  if (step == 1) return builder.add("slice_by_index", {{"x", gather.x}, {"begin", begin}, {"end", end}});
  return builder.add("slice_by_index", {{"x", gather.x}, {"begin", begin}, {"end", end}, {"stride", stride}});
}

// The same without a gather; null when there is no such thing.
Value* without_gather(Builder& builder, const Gather& gather) {
  const auto step = step_of(gather.indices);
  const bool all =
      !gather.squeezes && gather.indices.size() == static_cast<std::size_t>(gather.x->type.dims[gather.axis]);
  if (step && all && *step == 1) return gather.x;
  if (step && all && *step == -1)
    return builder.add("reverse", {{"x", gather.x}, {"axes", Dims{static_cast<std::int64_t>(gather.axis)}}});
  return step && *step > 0 ? slice(builder, gather, *step) : nullptr;
}

}  // namespace

Result<bool> simplify_gathers(Block& block, PassContext& context) {
  bool changed = false;
  for (auto at = block.nodes.begin(); at != block.nodes.end();) {
    Node& node = *at++;
    const auto gather = gather_of_known(node);
    if (!gather) continue;
    Trial trial(node);
    Value* y = without_gather(trial.builder(), *gather);
    if (!y) {
      context.remark(node, "kept: its indices are not evenly spaced");
      continue;
    }
    trial.replace(*node.output(), *y);
    if (!trial.keep()) {
      context.remark(node, "kept: its result has a name that must stay, or a type that a slice does not have");
      continue;
    }
    context.count("gathers replaced");
    changed = true;
  }
  return changed;
}

}  // namespace anemone::passes
