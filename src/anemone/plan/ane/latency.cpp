// The layer model, with its constants in device.cpp.
#include "anemone/plan/ane/latency.h"

#include <algorithm>
#include <span>
#include <unordered_set>

#include "anemone/ir/rewrite.h"
#include "anemone/plan/ane/subject.h"

namespace anemone::plan::ane {
namespace {

constexpr Ops kNoWork{kView, {"quantize", "dequantize"}};

// A concatenation is a barrier: it has no datapath whose epilogue could take the operation.
bool is_free(const Node& node) {
  if (kNoWork.has(node)) return true;
  const Value* x = is(node, kEpilogue) ? node.input("x") : nullptr;
  return x && x->producer && x->has_single_use() && !producer(x, "concat") && !is_static(x);
}

bool is_int8(const Node& node) { return producer(node.input("x"), "dequantize") != nullptr; }

bool is_grouped(const Node& node) { return node.operand("groups") && ConstantView(node).integer("groups") > 1; }

double layer_us(const Node& node, const OpCost& cost, const LayerCost& l, double weight_gb_s) {
  const bool int8 = is_int8(node), grouped = is_grouped(node);
  double activations = 0;
  for (const Value* value : runtime_operands(node)) activations += static_cast<double>(bytes_of(*value));
  for (const auto& output : node.outputs) activations += static_cast<double>(bytes_of(*output));
  if (int8) activations /= 2;
  const Dims& dims = node.outputs.empty() ? Dims{} : node.output()->type.dims;
  const double images = dims.size() >= 4 ? static_cast<double>(std::max<std::int64_t>(1, dims[0])) : 1;
  const double tflops = grouped ? l.depthwise_tflops : cost.pointwise ? l.conv_1x1_tflops : l.kxk_tflops;
  const double compute = 2e-6 * static_cast<double>(cost.macs) / (tflops * (int8 && !grouped ? l.int8_factor : 1));
  const double stream =
      images * std::max(0.0, activations / images - l.working_set_mb * 1e6) / (l.activation_gb_s * 1e3);
  return std::max({compute, stream, static_cast<double>(cost.weight_bytes) / (weight_gb_s * 1e3)}) + l.layer_us;
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
  constexpr double kSystemCache = 64e6;  // bytes; seen between 51 MB, which are fast, and 1 GB
  double weights = 0;
  for (const Step& step : steps) weights += static_cast<double>(step.cost.weight_bytes);
  const double weight_gb_s = weights <= kSystemCache ? l.cached_weight_gb_s : l.weight_gb_s;
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
    us += layer_us(node, steps[i].cost, l, weight_gb_s);
  }
  if (runs > 0) {
    estimate.io_ms = static_cast<double>(interface_bytes(function)) / (l.io_gb_s * 1e6);
    us += 1e3 * (l.call_ms + static_cast<double>(runs - 1) * l.submission_ms);
    us += static_cast<double>(crossing_bytes) / (l.crossing_gb_s * 1e3);
  }
  estimate.ms = us * 1e-3 + estimate.io_ms;
  return estimate;
}

}  // namespace anemone::plan::ane
