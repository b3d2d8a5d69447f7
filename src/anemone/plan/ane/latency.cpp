// The layer model, with its constants in device.cpp.
#include "anemone/plan/ane/latency.h"

#include <algorithm>
#include <array>
#include <span>
#include <unordered_set>

#include "anemone/plan/ane/subject.h"

namespace anemone::ane {
namespace {

bool is_epilogue(std::string_view type) {
  constexpr std::array<std::string_view, 14> kTypes{"batch_norm", "clip",    "elu",      "gelu",    "leaky_relu",
                                                    "prelu",      "relu",    "relu6",    "silu",    "sigmoid_hard",
                                                    "tanh",       "sigmoid", "softplus", "softsign"};
  return std::find(kTypes.begin(), kTypes.end(), type) != kTypes.end();
}

// A concatenation is a barrier: it has no datapath whose epilogue could take the operation.
bool is_free(const Node& node) {
  if (!is_epilogue(node.type)) return false;
  const Value* x = node.input("x");
  return x && x->producer && x->has_single_use() && x->producer->type != "concat" && !is_known(*x);
}

}  // namespace

std::int64_t interface_bytes(const Function& function) {
  std::int64_t bytes = 0;
  for (const auto& input : function.body.inputs) {
    const Feature* feature = function.interface.input(input->name);
    const bool image = feature && feature->kind == Feature::Kind::image && input->type.rank() == 4;
    const std::int64_t pixels = image ? element_count(std::span(input->type.dims).subspan(2)).value_or(0) : 0;
    bytes += image ? 4 * std::min(pixels, std::int64_t{1} << 42) : bytes_of(*input);
  }
  std::unordered_set<const Value*> seen;
  for (const Value* output : function.body.outputs()) {
    if (seen.insert(output).second) bytes += bytes_of(*output);
  }
  return bytes;
}

LayerEstimate layer_model(const Function& function, const std::vector<const Node*>& nodes,
                          const std::vector<Step>& steps, const std::vector<Unit>& units, std::int64_t crossing_bytes,
                          const Device& device) {
  const LayerCost& l = device.layers;
  LayerEstimate estimate;
  std::size_t runs = 0;
  double us = 0;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (units[i] != Unit::ane) {
      us += 1e3 * steps[i].cost.on(units[i]);
      continue;
    }
    if (i == 0 || units[i - 1] != Unit::ane) ++runs;
    const Node& node = *nodes[i];
    if (is_free(node) && i > 0) continue;
    ++estimate.layers;
    std::int64_t activations = 0;
    for (const Value* value : runtime_operands(node)) activations += bytes_of(*value);
    for (const auto& output : node.outputs) activations += bytes_of(*output);
    const double weights = static_cast<double>(std::max<std::int64_t>(0, steps[i].cost.bytes - activations));
    const double tflops = steps[i].cost.pointwise ? l.conv_1x1_tflops : l.kxk_tflops;
    const double compute = 2.0 * static_cast<double>(steps[i].cost.macs) / (tflops * 1e6);
    const double stream =
        std::max(0.0, static_cast<double>(activations) - l.working_set_mb * 1e6) / (l.activation_gb_s * 1e3);
    us += std::max({compute, stream, weights / (l.weight_gb_s * 1e3)}) + l.layer_us;
  }
  if (runs > 0) {
    estimate.io_ms = static_cast<double>(interface_bytes(function)) / (l.io_gb_s * 1e6);
    us += 1e3 * (l.call_ms + static_cast<double>(runs - 1) * l.submission_ms);
    us += static_cast<double>(crossing_bytes) / (l.crossing_gb_s * 1e3);
  }
  estimate.ms = us * 1e-3 + estimate.io_ms;
  return estimate;
}

}  // namespace anemone::ane
