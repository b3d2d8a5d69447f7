// The planner's shortest path, as its logs show it.
#include "anemone/plan/ane/route.h"

#include <array>
#include <limits>

namespace anemone::plan::ane {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

}  // namespace

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
  const auto launch = [&](Unit unit) {
    return unit == Unit::ane ? constants.launch_ms : unit == Unit::gpu ? constants.gpu_launch_ms : 0;
  };
  Route route;
  if (steps.empty()) return route;
  std::vector<std::array<Cell, kStates>> cells(steps.size());
  for (std::size_t i = 0; i < steps.size(); ++i) {
    for (std::size_t unit = 0; unit < kUnits; ++unit) {
      if (!allowed(steps[i], unit)) continue;
      const auto here = static_cast<Unit>(unit);
      const bool ane = here == Unit::ane;
      const auto arrive = [&](bool output_before, double ms, std::size_t from) {
        const bool output = output_before || (ane && steps[i].gives_output);
        Cell& cell = cells[i][unit + (output ? kUnits : 0)];
        const double total = ms + steps[i].cost.on(here) + (output && !output_before ? constants.output_ms : 0);
        if (total < cell.ms) cell = {total, from};
      };
      if (i == 0) {
        arrive(false, launch(here), 0);
        continue;
      }
      for (std::size_t state = 0; state < kStates; ++state) {  // the engine comes first: it wins ties
        const double before = cells[i - 1][state].ms;
        if (before == kInfinity) continue;
        const bool same = state % kUnits == unit;
        arrive(state >= kUnits, before + (same ? 0 : constants.switch_ms + launch(here)), state);
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

}  // namespace anemone::plan::ane
