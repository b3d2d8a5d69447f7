// Undoes joining and taking apart that cancel.
// before:  %s = stack(values=(%a, %b), axis=1)   %p, %q = split(x=%s, num_splits=2, axis=1)   %y = squeeze(x=%p, axes=[1])
// after:   %y is %a             (unsqueezed: %p = expand_dims(x=%a, axes=[1]); one slice of a stack likewise)
// before:  %c = concat(values=(%a, %b), axis=1)   %p, %q = split(x=%c, split_sizes=[of %a, of %b], axis=1)
// after:   %p is %a, %q is %b
// before:  %p, %q = split(x=%x, axis=1)   %y = concat(values=(%p, %q, %z), axis=1)
// after:   %y = concat(values=(%x, %z), axis=1)           (and %x itself where nothing else is joined)
// only if: extents are known, and the parts are cut where they were joined, in the same order
// why:     each is a copy of what it makes
#include <algorithm>

#include "anemone/ir/rewrite.h"
#include "anemone/ir/trial.h"
#include "anemone/passes/joins.h"
#include "anemone/passes/pass.h"
#include "anemone/passes/slice_range.h"
#include "anemone/passes/until_stable.h"

namespace anemone::passes {
namespace {

// What became this output of a split, before it was joined; or null.
Value* part_of_output(const Value& output) {
  const Node* split = producer(&output, "split");
  if (!split || !split->input("x")->type.is_fixed()) return nullptr;
  const std::int64_t axis = axis_of(*split, output);
  std::int64_t first = 0;
  for (const auto& other : split->outputs) {
    if (other.get() == &output) return part_of(*split->input("x"), axis, first, first + extent(output, axis));
    first += extent(*other, axis);
  }
  return nullptr;
}

bool drops_axis(const Use& use, const Value& part) {
  return is(*use.node, kView) && !use.node->outputs.empty() && use.node->output()->type == part.type;
}

bool undo(Node& node, Value& result, Value& part, std::int64_t axis, PassContext& context) {
  Trial trial(node);
  Value* y = &part;
  if (part.type != result.type) {
    y = trial.builder().add("expand_dims", {{"x", y}, {"axes", {axis}}});
  } else if (!can_replace(result, part)) {
    y = trial.builder().add("identity", {{"x", y}});  // which has room for the name of an output
  }
  trial.replace(result, *y);
  if (!trial.keep()) return false;
  context.count("parts found before they were joined");
  return true;
}

// The outputs one by one, for some may be cut elsewhere. Those that lose their new axis at once are left to whoever drops it.
bool undo_split(Node& split, PassContext& context) {
  const std::size_t count = split.outputs.size();
  bool changed = false;
  for (std::size_t i = 0; i < count; ++i) {
    Value& output = *split.outputs[i];
    Value* part = output.is_used() ? part_of_output(output) : nullptr;
    if (!part) continue;
    if (part->type != output.type && output.output_uses == 0 &&
        std::all_of(output.uses.begin(), output.uses.end(), [&](const Use& use) { return drops_axis(use, *part); }))
      continue;
    const bool last = std::all_of(split.outputs.begin(), split.outputs.end(),
                                  [&](const auto& other) { return other.get() == &output || !other->is_used(); });
    const bool done = undo(split, output, *part, axis_of(split, output), context);
    changed |= done;
    if (done && last) break;  // and the split is gone
  }
  return changed;
}

bool undo_view(Node& view, PassContext& context) {
  Value* x = view.input("x");
  Value* part = x ? part_of_output(*x) : nullptr;
  return part && part->type == view.output()->type && undo(view, *view.output(), *part, 0, context);
}

bool undo_slice(Node& slice, PassContext& context) {
  const auto range = slice_range(slice, Squeezed::allowed);
  Value* part =
      range && producer(range->x, "stack") ? part_of(*range->x, range->axis, range->begin, range->end) : nullptr;
  return part && undo(slice, *slice.output(), *part, range->axis, context);
}

// All outputs of a split, one after the other, are what was split.
bool undo_concat(Node& concat, PassContext& context) {
  if (!is_plain_concat(concat)) return false;
  const std::int64_t axis = axis_of(concat, *concat.output());
  const std::vector<Value*>& values = concat.operand("values")->values;
  std::vector<Value*> joined;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const Node* split = producer(values[i], "split");
    const std::size_t count = split ? split->outputs.size() : 0;
    const bool whole =
        split && count <= values.size() - i && axis_of(*split, *values[i]) == axis &&
        std::equal(split->outputs.begin(), split->outputs.end(), values.begin() + static_cast<std::ptrdiff_t>(i),
                   [](const auto& output, const Value* value) { return output.get() == value; });
    joined.push_back(whole ? split->input("x") : values[i]);
    if (whole) i += count - 1;
  }
  if (joined == values) return false;
  Trial trial(concat);
  if (!join_instead(trial, concat, joined)) return false;
  context.count("splits joined again");
  return true;
}

}  // namespace

Result<bool> fuse_stack_split(Block& block, PassContext& context) {
  return until_stable([&] {
    bool changed = false;
    for (auto at = block.nodes.begin(); at != block.nodes.end();) {
      Node& node = *at++;
      if (node.type == "split") {
        changed |= undo_split(node, context);  // and the node may be gone
      } else if (node.type == "concat") {
        changed |= undo_concat(node, context);
      } else if (node.type == "slice_by_index") {
        changed |= undo_slice(node, context);
      } else if (is(node, kView)) {
        changed |= undo_view(node, context);
      }
    }
    return changed;
  });
}

}  // namespace anemone::passes
