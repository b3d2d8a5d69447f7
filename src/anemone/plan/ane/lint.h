#pragma once
// Findings: what the rules say about a program and its placement. Internal to the planner.
#include <string>
#include <vector>

#include "anemone/ir/graph.h"
#include "anemone/plan/ane/device.h"
#include "anemone/plan/ane/rules.h"
#include "anemone/plan/ane/segments.h"

namespace anemone::ane {

/// What is known when linting starts.
struct Placed {
  const Function* function = nullptr;
  const Interface* interface = nullptr;  ///< as declared
  const Device* device = nullptr;
  std::vector<const Node*> nodes;
  std::vector<Step> steps;
  const Plan* plan = nullptr;  ///< verdicts, units, segments
};

/// Collects one finding a rule; several places become one list of operations.
class Findings {
 public:
  Finding& at(std::string_view code, const Node& node);  ///< adds the operation
  Finding& at(std::string_view code);
  Finding& open(std::string_view code);         ///< a second finding of the rule, for what could not be checked
  void cost(std::string_view code, double us);  ///< adds
  std::vector<Finding> take();                  ///< most expensive first, then by severity

 private:
  std::vector<Finding> list_;
};

void lint_placement(const Placed& placed, Findings& findings);  ///< what the verdicts and the route show
void lint_shapes(const Placed& placed, Findings& findings);     ///< strides, interfaces, patterns of operations
void lint_numbers(const Placed& placed, Findings& findings, bool weights);  ///< fp16 hazards

}  // namespace anemone::ane
