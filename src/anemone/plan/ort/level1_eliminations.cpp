// Rules of the first pass that take a node away which changes nothing.
#include <algorithm>
#include <limits>

#include "anemone/plan/ort/level1_passes.h"

namespace anemone::plan::ort {
namespace {

using onnx::extent;

Applied removed(Node& node, Walk& walk) {
  remove(node, walk);
  return Applied::removed;
}

/// Also one that gives an output of the graph, when what it copies is used by nothing else.
Applied identity(const Level1&, Node& node, Walk& walk) {
  if (can_remove(node)) return removed(node, walk);
  Node* before = producer(node, 0);
  if (!before || node.output_count() != 1 || edges_out(node) != 0 || !gives_graph_output(node)) return Applied::none;
  const Value& copied = *node.input(0);
  if (is_graph_output(copied) || readers(copied).size() > 1) return Applied::none;
  return removed(node, walk);
}

/// From 0 to the end, in steps of 1.
Applied slice(const Level1& level, Node& node, Walk& walk) {
  if (!is(level.model, node, "Slice") || !can_remove(node)) return Applied::none;
  std::vector<std::int64_t> starts = node.integers("starts"), ends = node.integers("ends");
  if (node.input_count() > 1) {
    const auto from = integers(level.model, node.input(1)), to = integers(level.model, node.input(2));
    if (!from || !to || from->empty()) return Applied::none;
    starts = *from;
    ends = *to;
    if (node.input(3)) {
      const auto axes = integers(level.model, node.input(3));
      if (!axes || axes->size() != starts.size()) return Applied::none;
      if (node.input(4)) {
        const auto steps = integers(level.model, node.input(4));
        if (!steps || *steps != std::vector<std::int64_t>(starts.size(), 1)) return Applied::none;
      }
    }
  }
  if (starts.size() != ends.size()) return Applied::none;
  for (std::size_t i = 0; i < starts.size(); ++i) {
    if (starts[i] != 0 || ends[i] != std::numeric_limits<std::int64_t>::max()) return Applied::none;
  }
  return removed(node, walk);
}

Applied dropout(const Level1& level, Node& node, Walk& walk) {
  if (!is(level.model, node, "Dropout", {1, 6, 7, 10, 12, 13}) || !can_remove(node)) return Applied::none;
  if (node.output(1) && !node.output(1)->uses().empty()) return Applied::none;  // the mask
  return removed(node, walk);
}

/// To a shape that the operand has already.
Applied expand(const Level1& level, Node& node, Walk& walk) {
  const onnx::Shape* x = shape_of(node.input(0));
  const auto wanted = integers(level.model, node.input(1));
  const Tensor* tensor = constant(level.model, node, 1);
  if (!can_remove(node) || !x || !wanted || wanted->empty() || tensor->dtype != onnx::DataType::int64)
    return Applied::none;
  if (x->size() < wanted->size()) return Applied::none;
  const std::size_t ahead = x->size() - wanted->size();
  for (std::size_t i = 0; i < wanted->size(); ++i) {
    const std::int64_t to = (*wanted)[i];
    if (to > 1 && extent((*x)[ahead + i]) != to) return Applied::none;
  }
  return removed(node, walk);
}

/// To the type that the operand has already.
Applied cast(const Level1&, Node& node, Walk& walk) {
  const Value* x = node.input(0);
  if (!can_remove(node) || !x || x->type.kind != onnx::Type::Kind::tensor) return Applied::none;
  if (node.integer("to", 0) != static_cast<std::int64_t>(x->type.dtype)) return Applied::none;
  return removed(node, walk);
}

/// Of which only the shape is asked.
Applied cast_before_shape(const Level1& level, Node& node, Walk& walk) {
  if (!can_remove(node) || node.output(0)->uses().empty()) return Applied::none;
  for (const Node* reader : readers(*node.output(0))) {
    if (!is(level.model, *reader, "Shape", {13, 15, 19})) return Applied::none;
  }
  return removed(node, walk);
}

/// x + 0, x - 0, x * 1, x / 1 with a constant of one element, or none.
Applied neutral_operand(const Level1& level, Node& node, Walk& walk) {
  const Tensor *first = constant(level.model, node, 0), *second = constant(level.model, node, 1);
  if (!first == !second) return Applied::none;
  const std::string& op = node.op_type;
  const bool additive = op == "Add" || op == "Sub";
  if ((op == "Sub" || op == "Div") && !second) return Applied::none;
  const Tensor& tensor = first ? *first : *second;
  const onnx::Shape* other = shape_of(node.input(first ? 1 : 0));
  if (!other || tensor.dims.size() > other->size()) return Applied::none;
  const auto count = formats::onnxspec::element_count(tensor.dims);
  if (!count || *count > 1) return Applied::none;
  if (*count == 1) {
    const auto value = scalar(level.model, node.input(first ? 0 : 1));
    const bool number = tensor.dtype != onnx::DataType::boolean && tensor.dtype != onnx::DataType::uint8;
    if (!value || !number || static_cast<float>(*value) != (additive ? 0.0f : 1.0f)) return Applied::none;
  }
  return can_remove(node) ? removed(node, walk) : Applied::none;
}

constexpr RewriteRule kRules[] = {
    {"EliminateIdentity", {"Identity"}, identity},
    {"EliminateSlice", {"Slice"}, slice},
    {"EliminateDropout", {"Dropout"}, dropout},
    {"ExpandElimination", {"Expand"}, expand},
    {"CastElimination", {"Cast"}, cast},
    {"PreShapeNodeElimination", {"Cast"}, cast_before_shape},
    {"NoopElimination", {"Add", "Sub", "Mul", "Div"}, neutral_operand},
};

}  // namespace

std::span<const RewriteRule> elimination_rules() { return kRules; }

}  // namespace anemone::plan::ort
