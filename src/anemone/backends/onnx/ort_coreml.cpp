// Patterns over the exported graph, one function each.
#include "anemone/backends/onnx/ort_coreml.h"

#include <algorithm>
#include <array>

#include "anemone/backends/onnx/emit.h"
#include "anemone/onnx/infer.h"

namespace anemone::onnx::exporting {
namespace {

bool is(const Node* node, std::string_view op) { return node && node->domain.empty() && node->op_type == op; }

/// The extents of a value, where all are known.
std::optional<Dims> fixed(const Value* value) {
  if (!value || !value->type.shape) return std::nullopt;
  Dims dims;
  for (const Dimension& d : *value->type.shape) {
    if (extent(d) < 0) return std::nullopt;
    dims.push_back(extent(d));
  }
  return dims;
}

/// The one number of a constant; nothing where it has others, or comes at run time.
std::optional<double> one_number(const Value* value) {
  if (!value || !value->tensor) return std::nullopt;
  const auto numbers = read_numbers(*value->tensor);
  if (!numbers || numbers->empty()) return std::nullopt;
  const bool same = std::all_of(numbers->begin(), numbers->end(), [&](double n) { return n == numbers->front(); });
  return same ? std::optional(numbers->front()) : std::nullopt;
}

/// Writes nodes in the place of one that goes away.
class Replacement {
 public:
  Replacement(Model& model, Node& node)
      : graph_(*model.graph), opset_(model.opset()), node_(node), shared_(graph_, options_) {}

  std::int64_t opset() const { return opset_; }
  DataType dtype() const { return node_.output(0)->type.dtype; }

  Value* number(double value) { return shared_.constant(dtype(), {}, {value}, stem() + "_constant"); }
  Value* ints(const Dims& values) {
    return shared_.constant(DataType::int64, {static_cast<std::int64_t>(values.size())},
                            std::vector<double>(values.begin(), values.end()), stem() + "_shape");
  }
  /// The same numbers in another shape.
  Value* constant_as(const Value& constant, const Dims& dims) {
    Value* value = graph_.add_value(graph_.free_name(constant.name() + "_as"));
    value->type = typed(constant.type.dtype, dims);
    value->tensor = std::make_unique<Tensor>(*constant.tensor);
    value->tensor->name = value->name();
    value->tensor->dims = dims;
    return value;
  }
  Value* add(const std::string& op, Inputs inputs, Dims dims, Attrs attributes = {}) {
    Value* value = graph_.add_value(graph_.free_name(stem() + "_" + op));
    value->type = typed(dtype(), dims);
    Node& made = graph_.add_node(op, std::move(inputs), {value}, &node_);
    made.name = value->name();
    made.attributes = std::move(attributes);
    return value;
  }
  Value* reshape(Value* value, const Dims& to) { return add("Reshape", {value, ints(to)}, to); }
  Value* mean(Value* value, const Dims& axes, const Dims& dims) {
    if (opset_ < 18) return add("ReduceMean", {value}, dims, {attr("axes", axes), attr("keepdims", std::int64_t{1})});
    return add("ReduceMean", {value, ints(axes)}, dims, {attr("keepdims", std::int64_t{1})});
  }
  /// The node's only output is this value from now on, under its old name.
  void finish(Value* value) {
    Value* output = node_.output(0);
    Value* unused = graph_.add_value(graph_.free_name(stem() + "_replaced"));
    graph_.move_producer(*output, *unused);
    graph_.move_producer(*value, *output);
    graph_.replace_uses(*value, *output);
    graph_.erase(*value);
    graph_.erase(node_);
  }

 private:
  const std::string& stem() const { return node_.output(0)->name(); }
  static onnx::Type typed(DataType dtype, const Dims& dims) {
    onnx::Type type;
    type.kind = onnx::Type::Kind::tensor;
    type.dtype = dtype;
    type.shape.emplace();
    for (const std::int64_t n : dims) type.shape->push_back({n, {}, {}});
    return type;
  }

  Graph& graph_;
  std::int64_t opset_;
  Node& node_;
  RaiseOptions options_;
  Raising shared_;
};

/// Calls rewrite(node) for every node that the main graph has now; it gives whether it replaced the node.
template <class Rewrite>
std::size_t for_each_of(Model& model, std::string_view op, Rewrite&& rewrite) {
  std::vector<Node*> nodes;
  for (const auto& node : model.graph->nodes()) {
    if (is(node.get(), op) && node->output_count() == 1 && fixed(node->output(0))) nodes.push_back(node.get());
  }
  return static_cast<std::size_t>(
      std::count_if(nodes.begin(), nodes.end(), [&](Node* node) { return rewrite(*node); }));
}

// Where(h > t, a, b) = b + gate · (a − b) with gate = clip(K · clip(K · (h − t))), clip between 0 and 1. Near t the
// difference is exact, and above 1/32 one unit in the last place of float is at least 1/K²: the gate is 0 or 1. Twice K,
// with a clip between, because K² is out of half precision's range.
std::size_t gate_by_clip(Model& model) {
  constexpr double kSteep = 16384;
  return for_each_of(model, "Where", [&](Node& node) {
    Node* compare = node.input(0)->producer();
    const bool greater = is(compare, "Greater"), less = is(compare, "Less");
    if (!greater && !less) return false;
    const auto limit = one_number(compare->input(1));
    const auto shape = fixed(compare->input(0)), out = fixed(node.output(0));
    if (!limit || !shape || compare->input(0)->type.dtype != node.output(0)->type.dtype) return false;
    Replacement r(model, node);
    Value* gate = r.add("Add", {compare->input(0), r.number(-*limit)}, *shape);
    for (const double slope : {greater ? kSteep : -kSteep, kSteep}) {
      gate = r.add("Mul", {gate, r.number(slope)}, *shape);
      gate = r.add("Clip", {gate, r.number(0), r.number(1)}, *shape);
    }
    Value *a = node.input(1), *b = node.input(2);
    if (one_number(b) == 0.0) {
      r.finish(r.add("Mul", {gate, a}, *out));
    } else {
      Value* step = r.add("Mul", {gate, r.add("Sub", {a, b}, *out)}, *out);
      r.finish(r.add("Add", {step, b}, *out));
    }
    return true;
  });
}

// The definition: (x − mean) / √(mean of squares + epsilon), then scale and bias where they do something.
std::size_t instance_norm_by_means(Model& model) {
  return for_each_of(model, "InstanceNormalization", [&](Node& node) {
    const Dims x = *fixed(node.output(0));
    const auto scale = one_number(node.input(1)), bias = one_number(node.input(2));
    if (x.size() < 3 || !node.input(1)->tensor || !node.input(2)->tensor) return false;
    Dims axes, one = x, channels(x.size(), 1);
    channels[1] = x[1];
    for (std::size_t d = 2; d < x.size(); ++d) {
      axes.push_back(static_cast<std::int64_t>(d));
      one[d] = 1;
    }
    Replacement r(model, node);
    Value* centred = r.add("Sub", {node.input(0), r.mean(node.input(0), axes, one)}, x);
    Value* variance = r.mean(r.add("Mul", {centred, centred}, x), axes, one);
    const double epsilon = node.number("epsilon", 1e-5f);
    Value* deviation = r.add("Sqrt", {r.add("Add", {variance, r.number(epsilon)}, one)}, one);
    Value* result = r.add("Div", {centred, deviation}, x);
    if (scale != 1.0) result = r.add("Mul", {result, r.constant_as(*node.input(1), channels)}, x);
    if (bias != 0.0) result = r.add("Add", {result, r.constant_as(*node.input(2), channels)}, x);
    r.finish(result);
    return true;
  });
}

// A stack of one matrix, times a constant, as matrices of two dimensions.
std::size_t matmul_of_matrices(Model& model) {
  return for_each_of(model, "MatMul", [&](Node& node) {
    const auto a = fixed(node.input(0)), b = fixed(node.input(1));
    const Dims out = *fixed(node.output(0));
    if (!a || !b || !node.input(1)->tensor || (a->size() == 2 && b->size() == 2) || a->size() < 2 || b->size() < 2)
      return false;
    if (!std::all_of(b->begin(), b->end() - 2, [](std::int64_t n) { return n == 1; })) return false;
    const std::int64_t depth = a->back(), width = b->back();
    std::int64_t rows = 1;
    for (std::size_t d = 0; d + 1 < a->size(); ++d) rows *= (*a)[d];
    Replacement r(model, node);
    Value* left = node.input(0);
    if (is(left->producer(), "Reshape") && left->uses().size() == 1) left = left->producer()->input(0);
    Value* product =
        r.add("MatMul", {r.reshape(left, {rows, depth}), r.constant_as(*node.input(1), {depth, width})}, {rows, width});
    r.finish(r.reshape(product, out));
    return true;
  });
}

/// Max or Min of a value and a number.
std::size_t by_clip(Model& model, std::string_view op) {
  return for_each_of(model, op, [&](Node& node) {
    if (node.input_count() != 2) return false;
    const std::size_t constant = one_number(node.input(1)) ? 1 : 0;
    const auto limit = one_number(node.input(constant));
    Value* x = node.input(1 - constant);
    if (!limit || fixed(x) != fixed(node.output(0))) return false;
    Replacement r(model, node);
    Inputs inputs{x};
    if (op == "Min") inputs.push_back(nullptr);
    inputs.push_back(r.number(*limit));
    r.finish(r.add("Clip", std::move(inputs), *fixed(x)));
    return true;
  });
}
std::size_t bounds_by_clip(Model& model) { return by_clip(model, "Max") + by_clip(model, "Min"); }

/// What only moves extents of 1.
std::size_t by_reshape(Model& model, std::string_view op) {
  return for_each_of(model, op, [&](Node& node) {
    Replacement r(model, node);
    r.finish(r.reshape(node.input(0), *fixed(node.output(0))));
    return true;
  });
}
std::size_t unsqueeze_by_reshape(Model& model) { return by_reshape(model, "Unsqueeze") + by_reshape(model, "Squeeze"); }

// Any axis of any rank is the second of [before, axis, behind, 1].
std::size_t concat_of_four_dimensions(Model& model) {
  return for_each_of(model, "Concat", [&](Node& node) {
    const Dims out = *fixed(node.output(0));
    const std::int64_t given = node.integer("axis", 0), rank = static_cast<std::int64_t>(out.size());
    const std::int64_t axis = given < 0 ? given + rank : given;
    if (rank == 4 && axis == 1) return false;
    std::int64_t before = 1, behind = 1;
    for (std::int64_t d = 0; d < axis; ++d) before *= out[static_cast<std::size_t>(d)];
    for (std::int64_t d = axis + 1; d < rank; ++d) behind *= out[static_cast<std::size_t>(d)];
    Inputs parts;
    for (std::size_t i = 0; i < node.input_count(); ++i) {
      const auto dims = fixed(node.input(i));
      if (!dims) return false;
    }
    Replacement r(model, node);
    for (std::size_t i = 0; i < node.input_count(); ++i) {
      const std::int64_t n = (*fixed(node.input(i)))[static_cast<std::size_t>(axis)];
      parts.push_back(r.reshape(node.input(i), {before, n, behind, 1}));
    }
    Value* joined = r.add("Concat", std::move(parts), {before, out[static_cast<std::size_t>(axis)], behind, 1},
                          {attr("axis", std::int64_t{1})});
    r.finish(r.reshape(joined, out));
    return true;
  });
}

// alpha · x + beta between 0 and 1.
std::size_t hard_sigmoid_by_clip(Model& model) {
  return for_each_of(model, "HardSigmoid", [&](Node& node) {
    const Dims x = *fixed(node.output(0));
    Replacement r(model, node);
    Value* line = r.add("Mul", {node.input(0), r.number(node.number("alpha", 0.2F))}, x);
    line = r.add("Add", {line, r.number(node.number("beta", 0.5F))}, x);
    r.finish(r.add("Clip", {line, r.number(0), r.number(1)}, x));
    return true;
  });
}

constexpr std::array kRewrites = {
    OrtRewrite{
        "gate_by_clip", "Where, Greater and Less have no builder",
        "within 2^-28 above the limit, which float can tell apart below 1/32 alone, the result lies between both",
        false, gate_by_clip},
    OrtRewrite{"hard_sigmoid_by_clip", "HardSigmoid has no builder", "", false, hard_sigmoid_by_clip},
    OrtRewrite{"bounds_by_clip", "Max has no builder in a NeuralNetwork, Min in neither format", "", false,
               bounds_by_clip},
    OrtRewrite{"instance_norm_by_means", "InstanceNormalization has no builder", "", true, instance_norm_by_means},
    OrtRewrite{"matmul_of_matrices", "MatMul takes a constant and two dimensions alone", "", true, matmul_of_matrices},
    OrtRewrite{"unsqueeze_by_reshape", "Unsqueeze has no builder, Squeeze since 1.21", "", true, unsqueeze_by_reshape},
    OrtRewrite{"concat_of_four_dimensions", "Concat takes the second of four dimensions alone", "", true,
               concat_of_four_dimensions},
};

/// What nothing reads any more. Nodes stand in an order of execution: from the end, readers go before what they read.
void drop_dead(Graph& graph) {
  for (auto at = graph.nodes().end(); at != graph.nodes().begin();) {
    Node& node = **--at;
    bool used = false;
    for (std::size_t i = 0; i < node.output_count(); ++i) used |= node.output(i) && !node.output(i)->uses().empty();
    if (used) continue;
    ++at;
    graph.erase(node);
  }
  for (Value* value : unused_initializers(graph)) graph.erase(*value);
}

}  // namespace

std::span<const OrtRewrite> ort_rewrites() { return kRewrites; }

std::vector<OrtRewritten> rewrite_for_ort_coreml(Model& model, const std::optional<OrtCoreml>& target) {
  std::vector<OrtRewritten> done;
  for (const OrtRewrite& rewrite : kRewrites) {
    if (rewrite.neural_network_only && target && target->ml_program) continue;
    done.push_back({&rewrite, rewrite.apply(model)});
  }
  drop_dead(*model.graph);
  return done;
}

}  // namespace anemone::onnx::exporting
