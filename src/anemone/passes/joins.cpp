// Places are counted along the axis.
#include "anemone/passes/joins.h"

#include "anemone/ir/op_def.h"

namespace anemone::passes {

std::int64_t axis_of(const Node& node, const Value& value) {
  const std::int64_t axis = ConstantView(node).integer("axis");
  return axis < 0 ? axis + value.type.rank() : axis;
}

std::int64_t extent(const Value& value, std::int64_t axis) { return value.type.dims[static_cast<std::size_t>(axis)]; }

bool is_plain_concat(const Node& node) {
  return node.type == "concat" && node.output()->type.is_fixed() && node.output()->type.rank() > 0 &&
         !ConstantView(node).flag("interleave");
}

Value* part_of(const Value& joined, std::int64_t axis, std::int64_t begin, std::int64_t end) {
  const Node* join = joined.producer;
  const bool stacked = join && join->type == "stack" && joined.type.is_fixed();
  if (!stacked && (!join || !is_plain_concat(*join))) return nullptr;
  if (axis_of(*join, joined) != axis) return nullptr;
  std::int64_t first = 0;
  for (Value* part : join->operand("values")->values) {
    if (!part->type.is_fixed() || (!stacked && part->type.rank() == 0)) return nullptr;
    const std::int64_t last = first + (stacked ? 1 : extent(*part, axis));
    if (first == begin && last == end && begin < end) return part;
    first = last;
  }
  return nullptr;
}

bool join_instead(Trial& trial, Node& concat, const std::vector<Value*>& values) {
  Value* y = values.size() == 1 ? values[0] : trial.builder().add_like(concat, {{"values", values}});
  trial.replace(*concat.output(), *y);
  return trial.keep();
}

}  // namespace anemone::passes
