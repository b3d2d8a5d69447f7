// Operands that a definition asks for: ONNX Runtime loads no file whose nodes lack one or have one too many. Kept for the
// operations that level 1 takes apart, which may then rely on them.
#include <fmt/format.h>

#include <limits>
#include <unordered_map>

#include "anemone/plan/ort/level1.h"

namespace anemone::plan::ort {
namespace {

struct Counts {
  std::size_t least = 1, most = 1;
};
constexpr std::size_t kAny = std::numeric_limits<std::size_t>::max();

/// Of all opsets together: what older definitions have as attributes are inputs today.
const Counts* find_counts(std::string_view op) {
  static const std::unordered_map<std::string_view, Counts> kCounts{
      {"Add", {2, 2}},       {"AveragePool", {1, 1}}, {"BatchNormalization", {5, 5}},
      {"Cast", {1, 1}},      {"CastLike", {2, 2}},    {"Clip", {1, 3}},
      {"Concat", {1, kAny}}, {"Conv", {2, 3}},        {"Div", {2, 2}},
      {"Dropout", {1, 3}},   {"Erf", {1, 1}},         {"Expand", {2, 2}},
      {"Gather", {2, 2}},    {"Gemm", {2, 3}},        {"HardSwish", {1, 1}},
      {"Identity", {1, 1}},  {"MatMul", {2, 2}},      {"MaxPool", {1, 1}},
      {"Mish", {1, 1}},      {"Mul", {2, 2}},         {"Not", {1, 1}},
      {"Pad", {1, 4}},       {"Pow", {2, 2}},         {"ReduceMean", {1, 2}},
      {"Relu", {1, 1}},      {"Reshape", {1, 2}},     {"Shape", {1, 1}},
      {"Slice", {1, 5}},     {"Sqrt", {1, 1}},        {"Squeeze", {1, 2}},
      {"Sub", {2, 2}},       {"Sum", {1, kAny}},      {"Transpose", {1, 1}},
      {"Unsqueeze", {1, 2}}, {"Where", {3, 3}},
  };
  const auto found = kCounts.find(op);
  return found == kCounts.end() ? nullptr : &found->second;
}

}  // namespace

std::optional<std::string> why_not_loaded(const onnx::Model& model) {
  for (const auto& node : model.graph->nodes()) {
    const Counts* counts = node->domain.empty() ? find_counts(node->op_type) : nullptr;
    if (!counts) continue;
    std::string what;
    for (std::size_t i = 0; i < counts->least && what.empty(); ++i) {
      if (!node->input(i)) what = fmt::format("has no input {}", i);
    }
    if (node->input_count() > counts->most) what = fmt::format("has {} inputs", node->input_count());
    if (!node->output(0)) what = "has no output";
    if (!what.empty()) return fmt::format("{} '{}' {}", node->op_type, onnx::display_name(*node), what);
  }
  return std::nullopt;
}

}  // namespace anemone::plan::ort
