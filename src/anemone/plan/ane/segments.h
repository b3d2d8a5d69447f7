#pragma once
// Cost of each operation on each unit, and the cheapest way through the program in its own order.
#include "anemone/ir/graph.h"
#include "anemone/plan/ane/device.h"

namespace anemone::ane {

struct OpCost {
  double ane_ms = 0, cpu_ms = 0, gpu_ms = 0;
  std::int64_t bytes = 0, macs = 0;
  bool pointwise = true;  ///< multiply-accumulates at the rate of 1x1 convolutions
  std::string_view bound;
};
/// The system planner's estimate: an operation's share of a published leaf (GFLOP/s, ns an element), else its bytes by
/// the bandwidth it assumes.
OpCost planner_cost(const Node& node, const Device& device);

/// The same under all units, where one report shows a run of `linear` on a single row leaving the engine for the GPU
/// although the engine takes the type: such rows are charged a cold weight stream on the engine. A guess that fits that
/// report.
OpCost with_gpu(const Node& node, OpCost cost, const Device& device);

struct Step {
  OpCost cost;
  bool ane = false, gpu = false;  ///< whether the unit may take it
  bool cpu = true;
  bool gives_output = false;  ///< of the program
};
struct Route {
  std::vector<Unit> units;
  double ms = 0;
};
/// Chain shortest path: costs on the units, plus a launch for each run on the engine, a switch at each border, and once
/// the transfer of outputs that lie on the engine. Ties go to the engine.
Route cheapest_route(const std::vector<Step>& steps, const PlannerCost& constants);

}  // namespace anemone::ane
