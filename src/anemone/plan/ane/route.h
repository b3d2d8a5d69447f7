#pragma once
// The cheapest way through the program, in its own order.
#include <vector>

#include "anemone/plan/ane/costs.h"

namespace anemone::plan::ane {

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
/// Chain shortest path: costs on the units, plus a launch for each run on the engine or the GPU, a switch at each border,
/// and once the transfer of outputs that lie on the engine. Ties go to the engine.
Route cheapest_route(const std::vector<Step>& steps, const PlannerCost& constants);

}  // namespace anemone::plan::ane
