#pragma once
// The plan of one function on one chip: verdicts, the cheapest way through the program, latency, findings.
#include <string>
#include <vector>

#include "anemone/ir/graph.h"
#include "anemone/plan/ane/device.h"

namespace anemone::plan::ane {

struct PlanOptions {
  ComputeUnits units = ComputeUnits::cpu_ne;
  std::vector<std::string> off;          ///< operation types taken off the engine as a hypothesis
  const Interface* interface = nullptr;  ///< as declared, when the function was specialised to one size
  bool lint_weights = true;              ///< read the weights for fp16 hazards
  bool find = true;                      ///< say what was found; else where things go and what that costs, and no more
};

/// Linear in the number of operations but for one sort. Operations inside control flow are listed and counted where the
/// blocks stand; they run on the CPU.
Plan make_plan(const Function& function, const Device& device, const PlanOptions& options = {});

}  // namespace anemone::plan::ane
