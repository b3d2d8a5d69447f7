// The planner's cost model and its shortest path, as its logs show them.
#include "anemone/plan/ane/segments.h"

#include <algorithm>
#include <array>
#include <limits>
#include <unordered_set>

#include "anemone/ir/op_def.h"
#include "anemone/plan/ane/subject.h"

namespace anemone::ane {
namespace {

constexpr double kGiB = 1024.0 * 1024.0 * 1024.0;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

bool is_pointwise(const Node& node) {
  const Value* weight = node.input("weight");
  if (!weight || (node.type != "conv" && node.type != "conv_transpose") || weight->type.rank() < 3)
    return true;  // matmul, linear and the like take the 1x1 leaf
  return std::all_of(weight->type.dims.begin() + 2, weight->type.dims.end(), [](std::int64_t k) { return k == 1; });
}

}  // namespace

OpCost planner_cost(const Node& node, const Device& device) {
  const PlannerCost& p = device.planner;
  OpCost cost;
  std::unordered_set<const Value*> seen;
  for (const Operand& operand : node.operands()) {
    for (const Value* value : operand.values) {
      if (seen.insert(value).second) cost.bytes += bytes_of(*value);
    }
  }
  double elements = 0;
  for (const auto& output : node.outputs) {
    cost.bytes += bytes_of(*output);
    elements += static_cast<double>(element_count(output->type.tensor_part().dims).value_or(0));
  }
  if (node.def && node.def->macs) cost.macs = node.def->macs(node);
  const double flops = 2.0 * static_cast<double>(cost.macs), count = elements, bytes = static_cast<double>(cost.bytes);
  const auto elementwise = [&](double ns) {
    cost.ane_ms = count * ns * 1e-6;
    cost.cpu_ms = p.cpu_elementwise_factor * cost.ane_ms;
    cost.bound = "elementwise";
  };
  if (node.type == "conv" || node.type == "conv_transpose") {
    const bool pointwise = is_pointwise(node);
    cost.ane_ms = flops / ((pointwise ? p.conv_1x1_gflops : p.conv_kxk_gflops) * 1e6);
    cost.cpu_ms = flops / ((pointwise ? p.cpu_conv_1x1_gflops : p.cpu_conv_kxk_gflops) * 1e6);
    cost.pointwise = pointwise;
    cost.bound = "compute";
  } else if (node.type == "relu") {
    elementwise(p.relu_ns);
  } else if (node.type == "add" || node.type == "sub") {
    elementwise(p.add_ns);
  } else if (node.type == "mul") {
    elementwise(p.mul_ns);
  } else if (node.type == "concat" && p.concat_ns > 0) {
    cost.ane_ms = count * p.concat_ns * 1e-6;
    cost.cpu_ms = bytes / (p.cpu_gib_per_s * kGiB) * 1e3;
    cost.bound = "memory";
  } else {
    const double by_bytes = bytes / (p.gib_per_s * kGiB) * 1e3, by_flops = flops / (p.conv_1x1_gflops * 1e6);
    cost.ane_ms = std::max(by_bytes, by_flops);
    cost.cpu_ms = std::max(bytes / (p.cpu_gib_per_s * kGiB) * 1e3, flops / (p.cpu_conv_1x1_gflops * 1e6));
    cost.bound = by_flops > by_bytes ? "compute" : "memory";
  }
  return cost;
}

OpCost with_gpu(const Node& node, OpCost cost, const Device& device) {
  const PlannerCost& p = device.planner;
  const double bytes = static_cast<double>(cost.bytes);
  cost.gpu_ms =
      std::max(bytes / (p.gpu_gib_per_s * kGiB) * 1e3, 2.0 * static_cast<double>(cost.macs) / (p.gpu_gflops * 1e6)) +
      p.gpu_dispatch_ms;
  const Value* x = node.input("x");
  const bool weight_bound =
      node.type == "linear" && x &&
      element_count(x->type.dims).value_or(0) == (x->type.dims.empty() ? -1 : x->type.dims.back());
  if (weight_bound) {  // a run of them is one stream of weights to the GPU
    cost.ane_ms = std::max(cost.ane_ms, bytes / (p.cold_vector_gb_s * 1e6));
    cost.gpu_ms = bytes / (p.gib_per_s * kGiB) * 1e3;
  }
  return cost;
}

Route cheapest_route(const std::vector<Step>& steps, const PlannerCost& constants) {
  // A state is the unit of the last operation and whether some output lies on the engine already.
  constexpr std::size_t kUnits = 3, kStates = 2 * kUnits;
  struct Cell {
    double ms = kInfinity;
    std::size_t from = 0;
  };
  const auto allowed = [](const Step& step, std::size_t unit) {
    return static_cast<Unit>(unit) == Unit::ane ? step.ane : static_cast<Unit>(unit) == Unit::gpu ? step.gpu : step.cpu;
  };
  const auto cost_on = [](const Step& step, std::size_t unit) {
    return static_cast<Unit>(unit) == Unit::ane   ? step.cost.ane_ms
           : static_cast<Unit>(unit) == Unit::gpu ? step.cost.gpu_ms
                                                  : step.cost.cpu_ms;
  };
  Route route;
  if (steps.empty()) return route;
  std::vector<std::array<Cell, kStates>> cells(steps.size());
  for (std::size_t i = 0; i < steps.size(); ++i) {
    for (std::size_t unit = 0; unit < kUnits; ++unit) {
      if (!allowed(steps[i], unit)) continue;
      const bool ane = static_cast<Unit>(unit) == Unit::ane;
      const auto arrive = [&](bool output_before, double ms, std::size_t from) {
        const bool output = output_before || (ane && steps[i].gives_output);
        Cell& cell = cells[i][unit + (output ? kUnits : 0)];
        const double total = ms + cost_on(steps[i], unit) + (output && !output_before ? constants.output_ms : 0);
        if (total < cell.ms) cell = {total, from};
      };
      if (i == 0) {
        arrive(false, ane ? constants.launch_ms : 0, 0);
        continue;
      }
      for (std::size_t state = 0; state < kStates; ++state) {  // the engine comes first: it wins ties
        const double before = cells[i - 1][state].ms;
        if (before == kInfinity) continue;
        const bool same = state % kUnits == unit;
        arrive(state >= kUnits, before + (same ? 0 : constants.switch_ms + (ane ? constants.launch_ms : 0)), state);
      }
    }
  }
  std::size_t state = 0;
  for (std::size_t s = 1; s < kStates; ++s) {
    if (cells.back()[s].ms < cells.back()[state].ms) state = s;
  }
  route.ms = cells.back()[state].ms;
  route.units.resize(steps.size());
  for (std::size_t i = steps.size(); i-- > 0;) {
    route.units[i] = static_cast<Unit>(state % kUnits);
    state = cells[i][state].from;
  }
  return route;
}

}  // namespace anemone::ane
