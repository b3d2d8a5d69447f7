// MatMul and Add become Gemm; the long forms of Gelu and LayerNormalization become the operation, where the opset has it.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "anemone/plan/ort/level1_passes.h"

namespace anemone::plan::ort {
namespace {

using onnx::DataType;
using onnx::Dimension;
using onnx::extent;
using Dims = std::vector<std::int64_t>;

constexpr std::initializer_list<int> kArithmetic{7, 13, 14};

bool same(const Dimension& a, const Dimension& b) { return a.value == b.value && a.symbol == b.symbol; }

/// What comes after a LayerNormalization in front of attention keeps its form, for a fusion that looks for it later.
bool belongs_to_attention(const Node& matmul, const Node& add) {
  const Node* norm = producer(matmul, 0);
  if (!norm || norm->op_type != "LayerNormalization") return false;
  std::size_t adds = 0, matmuls = 0, shapes = 0;
  const Node* residual = nullptr;
  const std::size_t edges = edges_out(*norm);
  for (const Node* reader : readers(*norm->output(0))) {
    adds += reader->op_type == "Add";
    matmuls += reader->op_type == "MatMul";
    shapes += reader->op_type == "Shape";
    if (reader->op_type == "Add") residual = reader;
  }
  if (adds != 1 || matmuls != 3 || shapes + 4 != edges) return false;
  const Node* other = producer(*residual, residual->input(0) == norm->output(0) ? 1 : 0);
  return other && (other->op_type == "Add" || other == &add);
}

/// A value in front of or behind the product, in two dimensions.
Value& plane(Graph& graph, const std::string& stem, DataType dtype, std::int64_t rows, std::int64_t columns) {
  Value& value = *graph.add_value(graph.free_name(stem));
  value.type.kind = onnx::Type::Kind::tensor;
  value.type.dtype = dtype;
  value.type.shape = onnx::Shape{onnx::known_extent(rows), onnx::known_extent(columns)};
  return value;
}

bool fuse(const Level1& level, Node& matmul, Walk& walk) {
  Node* add = only_reader(matmul);
  if (gives_graph_output(matmul) || !add || !is(level.model, *add, "Add", kArithmetic)) return false;
  const DataType dtype = matmul.input(0)->type.dtype;
  if (dtype != DataType::float32 && dtype != DataType::float16 && dtype != DataType::bfloat16) return false;
  if (add->input(0)->type.dtype != dtype) return false;
  const onnx::Shape *a = shape_of(matmul.input(0)), *b = shape_of(matmul.input(1));
  if (!a || !b || b->size() != 2) return false;
  const bool flat = a->size() == 2;
  Dims dims;
  if (!flat) {
    const auto known = known_dims(matmul.input(0)), weight = known_dims(matmul.input(1));
    if (level.version < 21 || !known || known->empty() || !weight || belongs_to_attention(matmul, *add)) return false;
    dims = *known;
  }
  Value* bias = add->input(add->input(0) == matmul.output(0) ? 1 : 0);
  const onnx::Shape* c = shape_of(bias);
  if (!c) return false;
  const Dimension& n = (*b)[1];
  bool fits = c->size() == 1 && same((*c)[0], n);
  if (flat && c->size() == 2) {
    fits = (extent((*c)[0]) == 1 && same((*c)[1], n)) ||
           (same((*c)[0], (*a)[0]) && (extent((*c)[1]) == 1 || same((*c)[1], n)));
  }
  if (!fits) return false;
  Graph& graph = level.graph();
  Value* x = matmul.input(0);
  if (flat) {
    add_instead(graph, "Gemm", {x, matmul.input(1), bias}, *add, add);
  } else {
    const auto all = formats::onnxspec::element_count({dims.begin(), dims.end() - 1});
    if (!all) return false;
    const std::int64_t rows = *all;
    const std::string& stem = add->output(0)->name();
    Value& in = plane(graph, stem + "_in", dtype, rows, dims.back());
    Value& out = plane(graph, stem + "_out", dtype, rows, extent(n));
    graph.add_node("Reshape", {x, &add_constant(graph, stem + "_rows", integer_tensor({rows, dims.back()}))}, {&in},
                   add);
    graph.add_node("Gemm", {&in, matmul.input(1), bias}, {&out}, add);
    dims.back() = extent(n);
    add_instead(graph, "Reshape", {&out, &add_constant(graph, stem + "_dims", integer_tensor(dims))}, *add, add);
  }
  walk.erase(*add);
  walk.erase(matmul);
  return true;
}

bool is_about(const Level1& level, const Value* value, double wanted) {
  const auto dims = known_dims(value);
  const auto found = dims && dims->size() <= 1 ? scalar(level.model, value) : std::nullopt;
  return found && std::abs(*found - wanted) <= 1e-8 + 1e-5 * std::abs(wanted);
}

/// The operand of a binary node that is not `known`.
Value* other_operand(const Node& node, const Value* known) { return node.input(node.input(0) == known ? 1 : 0); }

Node* next_is(const Level1& level, const Node& node, std::string_view op) {
  Node* next = has_edges_out(node, 1) ? only_reader(node) : nullptr;
  return next && is(level.model, *next, op) ? next : nullptr;
}

/// x / sqrt(2) -> Erf -> + 1 -> * x -> * 0.5, the last two in either order.
bool fuse_gelu_at(const Level1& level, Node& div, Walk& walk) {
  if (!is_about(level, div.input(1), std::numbers::sqrt2) && !is_about(level, div.input(1), 1.41421)) return false;
  Value* x = div.input(0);
  Node* erf = next_is(level, div, "Erf");
  Node* add = erf ? next_is(level, *erf, "Add") : nullptr;
  Node* mul = add ? next_is(level, *add, "Mul") : nullptr;
  if (!mul || !is_about(level, other_operand(*add, erf->output(0)), 1)) return false;
  Value* factor = other_operand(*mul, add->output(0));
  Node* half = factor ? factor->producer() : nullptr;
  Node* last = mul;
  if (half && is(level.model, *half, "Mul")) {  // (x * 0.5) * (1 + erf)
    if (!has_edges_out(*half, 1) || (half->input(0) != x && half->input(1) != x)) return false;
    if (!is_about(level, other_operand(*half, x), 0.5)) return false;
  } else {
    half = nullptr;
    last = next_is(level, *mul, "Mul");
    if (factor != x || !last || !is_about(level, other_operand(*last, mul->output(0)), 0.5)) return false;
  }
  add_instead(level.graph(), "Gelu", {x}, *last, last);
  if (last != mul) walk.erase(*last);
  walk.erase(*mul);
  if (half) walk.erase(*half);
  walk.erase(*add);
  walk.erase(*erf);
  walk.erase(div);
  return true;
}

/// Consecutive axes that end with the last, counted from behind; empty: they are none.
Dims trailing_axes(const Level1& level, const Node& reduce) {
  Dims axes = reduce.input(1) ? integers(level.model, reduce.input(1)).value_or(Dims{}) : reduce.integers("axes");
  const onnx::Shape* shape = shape_of(reduce.input(0));
  for (std::int64_t& axis : axes) {
    if (axis >= 0 && !shape) return {};
    if (axis >= 0) axis -= static_cast<std::int64_t>(shape->size());
  }
  std::sort(axes.begin(), axes.end());
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (axes[i] != static_cast<std::int64_t>(i) - static_cast<std::int64_t>(axes.size())) return {};
  }
  return axes;
}

Node* operand_from(const Level1& level, const Node& node, std::string_view op, std::size_t edges) {
  for (std::size_t i = 0; i < node.input_count(); ++i) {
    Node* found = producer(node, i);
    if (found && is(level.model, *found, op) && has_edges_out(*found, edges)) return found;
  }
  return nullptr;
}

/// ReduceMean -> Sub -> Pow -> ReduceMean -> Add -> Sqrt -> Div -> Mul -> Add: one subtraction, or the same one twice.
bool fuse_norm_at(const Level1& level, Node& mean, Walk& walk) {
  const std::size_t readers_of_mean = edges_out(mean);
  if (gives_graph_output(mean) || readers_of_mean < 1 || readers_of_mean > 2) return false;
  std::vector<Node*> subs = readers(*mean.output(0));
  Value* x = mean.input(0);
  for (const Node* sub : subs) {
    if (!is(level.model, *sub, "Sub") || sub->input(0) != x) return false;
    if (!has_edges_out(*sub, subs.size() == 1 ? 2 : 1)) return false;
  }
  Node *div = nullptr, *pow = nullptr;
  for (const Node* sub : subs) {
    for (Node* reader : readers(*sub->output(0))) {
      if (reader->op_type == "Div") div = reader;
      if (reader->op_type == "Pow") pow = reader;
    }
  }
  if (!div || !pow || !has_edges_out(*pow, 1)) return false;
  Node* sqrt = operand_from(level, *div, "Sqrt", 1);
  Node* epsilon = sqrt ? operand_from(level, *sqrt, "Add", 1) : nullptr;
  Node* variance = epsilon ? operand_from(level, *epsilon, "ReduceMean", 1) : nullptr;
  if (!variance || producer(*variance, 0) != pow) return false;
  Node* mul = next_is(level, *div, "Mul");
  Node* add = mul ? next_is(level, *mul, "Add") : nullptr;
  const Dims axes = trailing_axes(level, mean);
  if (!add || axes.empty() || axes != trailing_axes(level, *variance)) return false;
  Value *scale = other_operand(*mul, div->output(0)), *bias = other_operand(*add, mul->output(0));
  const auto of_axes = [&](const Value* value) {
    const auto dims = known_dims(value);
    return constant(level.model, value) && dims && dims->size() == axes.size();
  };
  if (!of_axes(scale) || !of_axes(bias)) return false;
  Node& norm = add_instead(level.graph(), "LayerNormalization", {x, scale, bias}, *add, add);
  norm.attributes.push_back({"axis", onnx::Attribute::Kind::integer, -static_cast<std::int64_t>(axes.size()), {}, {}});
  for (Node* node : {add, mul, div, sqrt, epsilon, variance, pow}) walk.erase(*node);
  for (Node* sub : subs) walk.erase(*sub);
  walk.erase(mean);
  return true;
}

}  // namespace

bool fuse_matmul_add(const Level1& level) {
  bool changed = false;
  Walk walk(level.graph());
  while (Node* node = walk.next()) changed |= is(level.model, *node, "MatMul", {1, 9, 13}) && fuse(level, *node, walk);
  return changed;
}

bool fuse_gelu(const Level1& level) {
  if (level.model.opset() < 20) return false;
  bool changed = false;
  Walk walk(level.graph());
  while (Node* node = walk.next())
    changed |= is(level.model, *node, "Div", kArithmetic) && fuse_gelu_at(level, *node, walk);
  return changed;
}

bool fuse_layer_normalization(const Level1& level) {
  if (level.model.opset() < 17) return false;
  bool changed = false;
  Walk walk(level.graph());
  while (Node* node = walk.next()) changed |= is(level.model, *node, "ReduceMean") && fuse_norm_at(level, *node, walk);
  return changed;
}

}  // namespace anemone::plan::ort
