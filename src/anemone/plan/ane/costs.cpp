// Chooses the leaf for an operation and applies it.
#include "anemone/plan/ane/costs.h"

#include <algorithm>
#include <unordered_set>

#include "anemone/ir/rewrite.h"
#include "anemone/plan/ane/subject.h"

namespace anemone::plan::ane {
namespace {

constexpr double kGiB = 1024.0 * 1024.0 * 1024.0;
constexpr std::int64_t kWide = 32;  // channels from which on a k×k convolution has the best rate

constexpr Ops kTransposed{"conv_transpose"}, kLinear{"linear"}, kRelu{"relu"}, kAdd{"add", "sub"}, kMul{"mul"},
    kConcat{"concat"}, kTranspose{"transpose"}, kBilinear{"upsample_bilinear"};

bool is_pointwise(const Node& node) {
  const Value* weight = is(node, kConvolution) ? node.input("weight") : nullptr;
  if (!weight || weight->type.rank() < 3) return true;  // matmul, linear and the like run at the rate of 1x1
  return std::all_of(weight->type.dims.begin() + 2, weight->type.dims.end(), [](std::int64_t k) { return k == 1; });
}

const Leaf& conv_leaf(const Node& node, const PlannerCost& p) {
  const Value* weight = node.input("weight");
  if (!weight || weight->type.rank() < 3) return p.conv_1x1;
  const Dims &w = weight->type.dims, &result = node.output()->type.dims;
  const bool depthwise = w[1] == 1 && w[0] > 1;
  const bool one_position =
      result.size() > 2 && std::all_of(result.begin() + 2, result.end(), [](auto n) { return n == 1; });
  if (depthwise || one_position) return p.conv_poor;
  if (is_pointwise(node)) return p.conv_1x1;
  const bool transposed = kTransposed.has(node);
  const std::int64_t in = w[transposed ? 0 : 1], out = w[transposed ? 1 : 0];
  if (in < kWide) return p.conv_few_in;
  return out < kWide ? p.conv_few_out : p.conv_kxk;
}

// Stored bytes of what is known before run time: of a compressed constant, those of its parts.
std::int64_t stored_bytes(const Value& value) {
  if (value.constant || !value.producer) return bytes_of(value);
  std::int64_t bytes = 0;
  for (const Operand& operand : value.producer->operands()) {
    for (const Value* part : operand.values) bytes += stored_bytes(*part);
  }
  return bytes;
}

void count(const Node& node, OpCost& cost) {
  std::unordered_set<const Value*> seen;
  for (const Operand& operand : node.operands()) {
    for (const Value* value : operand.values) {
      if (!seen.insert(value).second) continue;
      cost.bytes += bytes_of(*value);
      if (is_static(value)) cost.weight_bytes += stored_bytes(*value);
    }
  }
  for (const auto& output : node.outputs) cost.bytes += bytes_of(*output);
  if (node.def && node.def->macs) cost.macs = node.def->macs(node);
}

}  // namespace

OpCost planner_cost(const Node& node, const Device& device) {
  const PlannerCost& p = device.planner;
  OpCost cost;
  count(node, cost);
  cost.pointwise = is_pointwise(node);
  const auto set = [&](double amount, const Leaf& price, std::string_view bound) {
    cost.ane_ms = amount * price.ane;
    cost.bnns_ms = amount * price.bnns;
    cost.classic_ms = amount * price.classic;
    cost.gpu_ms = amount * price.gpu;
    cost.bound = bound;
    cost.trust = weakest(device.trust(), price.trust);
  };
  const auto by_flops = [&](const Leaf& gflops) {
    const Leaf price{1 / gflops.ane, 1 / gflops.bnns, 1 / gflops.classic, 1 / gflops.gpu, gflops.trust};
    set(2e-6 * static_cast<double>(cost.macs), price, "compute");
  };
  const auto by_elements = [&](const Leaf& ns) {
    double elements = 0;
    for (const auto& output : node.outputs)
      elements += static_cast<double>(element_count(output->type.tensor_part().dims).value_or(0));
    set(elements * 1e-6, ns, "elementwise");
  };
  // Sums and products of fp32 tensors are on the engine nowhere.
  const auto by_floats = [&](const Leaf& ns) {
    by_elements(ns);
    if (node.output()->type.tensor_part().dtype != DType::fp32) return;
    for (double* ms : {&cost.bnns_ms, &cost.classic_ms, &cost.gpu_ms}) *ms *= p.fp32_share;
  };
  const double memory_ms = static_cast<double>(cost.bytes) / (p.gib_per_s * kGiB) * 1e3;
  if (is(node, kConvolution)) {
    by_flops(conv_leaf(node, p));
  } else if (kLinear.has(node)) {
    const Value* x = node.input("x");
    const bool row = x && !x->type.dims.empty() && element_count(x->type.dims) == x->type.dims.back();
    by_flops(row ? p.linear_row : p.linear);
  } else if (kRelu.has(node)) {
    by_elements(p.relu);
  } else if (kTranspose.has(node)) {
    by_elements(p.transpose);
  } else if (kBilinear.has(node)) {
    by_elements(p.upsample_bilinear);
  } else if (kAdd.has(node)) {
    by_floats(p.add);
  } else if (kMul.has(node)) {
    by_floats(p.mul);
  } else {
    if (cost.macs > 0) by_flops(p.peak);
    if (memory_ms >= cost.ane_ms) set(memory_ms, p.other, "memory");
    if (kConcat.has(node) && p.concat_ns > 0)
      cost.ane_ms = static_cast<double>(element_count(node.output()->type.dims).value_or(0)) * p.concat_ns * 1e-6;
  }
  return cost;
}

}  // namespace anemone::plan::ane
