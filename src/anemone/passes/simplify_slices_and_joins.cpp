// Takes apart and puts together no more than needed.
// before:  %c = concat(values=(%a, %b), axis=1)   %y = slice_by_index(x=%c, the part of %b)
// after:   %y is %b                                           (a slice within %b: that slice of %b)
// before:  %p = slice_by_index(x=%x, 0 to 2 of axis 1)   %q = slice_by_index(x=%x, 2 to 5)   %y = concat(values=(%p, %q, %z), axis=1)
// after:   %p = slice_by_index(x=%x, 0 to 5)             %y = concat(values=(%p, %z), axis=1)   (and %x where it is all of it)
// before:  %c = concat(values=(%a, %b), axis=1)   %y = concat(values=(%c, %z), axis=1)
// after:   %y = concat(values=(%a, %b, %z), axis=1)
// only if: extents are known, and nobody else reads an inner concat
// why:     each is a copy of what it makes
#include "anemone/ir/rewrite.h"
#include "anemone/ir/trial.h"
#include "anemone/passes/joins.h"
#include "anemone/passes/pass.h"
#include "anemone/passes/slice_range.h"
#include "anemone/passes/until_stable.h"

namespace anemone::passes {
namespace {

bool slice_of_concat(Node& slice, PassContext& context) {
  const auto range = slice_range(slice);
  const Node* concat = range ? producer(range->x, "concat") : nullptr;
  if (!concat || !is_plain_concat(*concat) || axis_of(*concat, *range->x) != range->axis) return false;
  std::int64_t first = 0;
  for (Value* part : concat->operand("values")->values) {
    const std::int64_t last = first + extent(*part, range->axis);
    if (range->begin >= first && range->end <= last) {
      Trial trial(slice);
      const SliceRange inner{part, range->axis, range->begin - first, range->end - first};
      const bool whole = part->type == slice.output()->type;
      trial.replace(*slice.output(), whole ? *part : *add_slice(trial.builder(), inner));
      if (!trial.keep()) return false;
      context.count("slices of concatenations removed");
      return true;
    }
    first = last;
  }
  return false;
}

// The values with inner concats taken apart, and with slices that stand side by side as one, made by the builder.
std::vector<Value*> simplified(const Node& concat, Builder& builder) {
  const std::int64_t axis = axis_of(concat, *concat.output());
  std::vector<Value*> flat, joined;
  for (Value* value : concat.operand("values")->values) {
    const Node* inner = producer(value, "concat");
    if (inner && only_user(value) == &concat && same_block(*inner, concat) && is_plain_concat(*inner) &&
        axis_of(*inner, *value) == axis) {
      const auto& parts = inner->operand("values")->values;
      flat.insert(flat.end(), parts.begin(), parts.end());
    } else {
      flat.push_back(value);
    }
  }
  for (std::size_t i = 0; i < flat.size();) {
    auto run = flat[i]->producer ? slice_range(*flat[i]->producer) : std::nullopt;
    std::size_t next = i + 1;
    while (run && run->axis == axis && next < flat.size() && flat[next]->producer) {
      const auto more = slice_range(*flat[next]->producer);
      if (!more || more->x != run->x || more->axis != axis || more->begin != run->end) break;
      run->end = more->end;
      ++next;
    }
    if (next == i + 1) {
      joined.push_back(flat[i]);
    } else {
      const bool whole = run->begin == 0 && run->end == extent(*run->x, axis);
      joined.push_back(whole ? run->x : add_slice(builder, *run));
    }
    i = next;
  }
  return joined;
}

bool simplify_concat(Node& concat, PassContext& context) {
  if (!is_plain_concat(concat)) return false;
  Trial trial(concat);
  const std::vector<Value*> values = simplified(concat, trial.builder());
  if (values == concat.operand("values")->values) return false;
  if (!join_instead(trial, concat, values)) return false;
  context.count("concatenations simplified");
  return true;
}

}  // namespace

Result<bool> simplify_slices_and_joins(Block& block, PassContext& context) {
  return until_stable([&] {
    bool changed = false;
    for (auto at = block.nodes.begin(); at != block.nodes.end();) {
      Node& node = *at++;
      if (node.type == "concat") {
        changed |= simplify_concat(node, context);  // and the node may be gone
      } else if (node.type == "slice_by_index") {
        changed |= slice_of_concat(node, context);
      }
    }
    return changed;
  });
}

}  // namespace anemone::passes
