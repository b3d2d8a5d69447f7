// Nodes whose operands are constants become constants. Where the values take no part in any rule (large tensors, operations
// that are not evaluated here) the constant has its type and no elements.
#include <algorithm>
#include <array>
#include <utility>

#include "anemone/onnx/evaluate.h"
#include "anemone/plan/ort/level1_passes.h"

namespace anemone::plan::ort {
namespace {

using onnx::DataType;

/// The extents of a value that are all known, cut as Shape says.
std::optional<Tensor> folded_shape(const Node& node) {
  const auto dims = known_dims(node.input(0));
  if (!dims) return std::nullopt;
  const auto [begin, end] = onnx::shape_range(node, dims->size());
  return integer_tensor({dims->begin() + begin, dims->begin() + end});
}

bool has_constant_operands(const Level1& level, const Node& node) {
  for (std::size_t i = 0; i < node.input_count(); ++i) {
    if (node.input(i) && !constant(level.model, node, i)) return false;
  }
  return node.input_count() > 0;
}

/// The CPU computes nothing in half precision here, but it moves and casts it.
bool has_kernel(const Node& node) {
  constexpr std::array<std::string_view, 14> kMoves{"Cast",     "Concat",  "Expand",    "Flatten",  "Gather",
                                                    "Identity", "Reshape", "Shape",     "Slice",    "Split",
                                                    "Squeeze",  "Tile",    "Transpose", "Unsqueeze"};
  const Value* x = node.input(0);
  if (!x || x->type.dtype != DataType::float16) return true;
  return std::find(kMoves.begin(), kMoves.end(), node.op_type) != kMoves.end();
}

/// Types of all outputs are known, so they can stand without elements.
bool has_known_results(const Node& node) {
  for (std::size_t i = 0; i < node.output_count(); ++i) {
    const Value* output = node.output(i);
    if (output && (output->type.dtype == DataType::undefined || !known_dims(output))) return false;
  }
  return true;
}

/// DQ -> one node -> Q is folded as a whole; a DequantizeLinear by itself stays, for those who look for such units.
bool stays_quantized(const Node& node) {
  if (node.op_type != "DequantizeLinear") return false;
  const Node* inner = has_edges_out(node, 1) ? only_reader(node) : nullptr;
  if (!inner || inner->input_count() != 1 || inner->output_count() != 1 || !has_edges_out(*inner, 1)) return true;
  return only_reader(*inner)->op_type != "QuantizeLinear";
}

void become_constants(const Level1& level, Node& node, std::optional<Tensor> first) {
  for (std::size_t i = 0; i < node.output_count(); ++i) {
    Value* output = node.output(i);
    if (!output || output->uses().empty()) continue;
    Tensor tensor;
    if (i == 0 && first) {
      tensor = *std::exchange(first, std::nullopt);
    } else {
      tensor.dtype = output->type.dtype;
      tensor.dims = *known_dims(output);
    }
    level.graph().replace_uses(*output, add_constant(level.graph(), output->name(), std::move(tensor)));
  }
}

/// With the constants that nothing else reads: of a long chain, only what comes out of it is held.
void erase_folded(const Level1& level, Node& node, Walk& walk) {
  std::vector<Value*> operands;
  for (std::size_t i = 0; i < node.input_count(); ++i) {
    Value* operand = node.input(i);
    const bool seen = std::find(operands.begin(), operands.end(), operand) != operands.end();
    if (operand && !seen && &operand->graph() == &level.graph()) operands.push_back(operand);
  }
  walk.erase(node);
  for (Value* operand : operands) {
    if (operand->uses().empty() && !operand->is_input()) level.graph().erase(*operand);
  }
}

}  // namespace

bool fold_constants(const Level1& level) {
  const onnx::InferOptions options = infer_options();
  bool changed = false;
  Walk walk(level.graph());
  while (Node* node = walk.next()) {
    if (changed && node->bodies.empty()) infer_types(level.model, *node, options);
    if (is(level.model, *node, "Shape")) {
      std::optional<Tensor> shape = folded_shape(*node);
      if (!shape) continue;
      become_constants(level, *node, std::move(shape));
      Node* before = producer(*node, 0);
      node->set_input(0, nullptr);
      walk.erase(*node);
      if (before && edges_out(*before) == 0) remove_upwards(*before, walk);
      changed = true;
      continue;
    }
    if (!node->bodies.empty() || !is_deterministic(*node) || !has_constant_operands(level, *node)) continue;
    if (stays_quantized(*node) || !has_kernel(*node)) continue;
    const auto value = onnx::evaluate(level.model, *node);
    if (!value && !has_known_results(*node)) continue;
    become_constants(level, *node, value ? std::optional(onnx::to_tensor({}, *value)) : std::nullopt);
    erase_folded(level, *node, walk);
    changed = true;
  }
  return changed;
}

}  // namespace anemone::plan::ort
