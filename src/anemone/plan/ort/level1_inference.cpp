// What ONNX Runtime leaves open where more would follow. Measured with 1.19.2 and 1.23.2: five thousand models of one node,
// each with its operands known and unknown in every opset, as tests/judge/ort_shapes.py makes some of them.
#include "anemone/plan/ort/level1_passes.h"

namespace anemone::plan::ort {
namespace {

using Told = onnx::InferOptions::Told;

/// Operands from `first` on that are there and come at run time.
bool comes_at_run_time(const Model& model, const Node& node, std::size_t first) {
  for (std::size_t i = first; i < node.input_count(); ++i) {
    if (node.input(i) && !constant(model, node, i)) return true;
  }
  return false;
}

Told told(const Model& model, const Node& node) {
  const auto unless = [](bool open, Told instead) { return open ? instead : Told::all; };
  const std::string_view op = node.op_type;
  if (!node.domain.empty()) return Told::all;
  // Defined by functions, without a rule for shapes.
  if (op == "GreaterOrEqual" || op == "LessOrEqual" || op == "MeanVarianceNormalization") return Told::element_type;
  // From opset 14 on the length of the shape gives the rank.
  if (op == "Reshape") return unless(model.opset() < 14 && comes_at_run_time(model, node, 1), Told::element_type);
  if (op == "Split" || op.starts_with("Reduce")) return unless(comes_at_run_time(model, node, 1), Told::element_type);
  if (op == "Slice" || op == "TopK") return unless(comes_at_run_time(model, node, 1), Told::rank);
  if (op == "Conv") return unless(!shape_of(node.input(1)), Told::element_type);
  if (op == "Concat") {
    for (std::size_t i = 0; i < node.input_count(); ++i) {
      if (!shape_of(node.input(i))) return Told::element_type;
    }
  }
  return Told::all;
}

}  // namespace

onnx::InferOptions infer_options() { return {.propagate_data = false, .told = told}; }

}  // namespace anemone::plan::ort
