#pragma once
// What the system planner believes an operation costs on each unit.
#include "anemone/ir/graph.h"
#include "anemone/plan/ane/device.h"

namespace anemone::plan::ane {

struct OpCost {
  double ane_ms = 0, gpu_ms = 0;
  double bnns_ms = 0, classic_ms = 0;  ///< the CPU's two back ends
  double cpu_ms() const { return bnns_ms < classic_ms ? bnns_ms : classic_ms; }
  double on(Unit unit) const { return unit == Unit::ane ? ane_ms : unit == Unit::gpu ? gpu_ms : cpu_ms(); }

  std::int64_t bytes = 0, macs = 0;
  std::int64_t weight_bytes = 0;  ///< of `bytes`: what is known before run time, as it is stored
  bool pointwise = true;          ///< multiply-accumulates at the rate of 1x1 convolutions
  std::string_view bound;         ///< "compute", "memory", "elementwise"
  Trust trust = Trust::reported;  ///< of the figures
};

/// By what the operation does: convolutions by the leaf for their intensity and channels and linear by that for its rows
/// (GFLOP/s); relu, sums and products by elements; everything else by its bytes, or by a peak rate where that is dearer.
/// The figures are the planner's own, see PlannerCost.
OpCost planner_cost(const Node& node, const Device& device);

}  // namespace anemone::plan::ane
