#pragma once
// Which operations of a plan somebody wants to see.
#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "anemone/plan/plan.h"
#include "anemone/support/result.h"

namespace anemone::report {

struct PlanView {
  bool per_op = false;             ///< a line for each operation
  std::vector<std::string> where;  ///< "unit=cpu": only operations that match all; see check()
  std::size_t top = 0;             ///< only the most expensive ones; 0 = all
  std::string group;               ///< "type": a line for each of its values instead of one an operation

  bool selects() const { return !where.empty() || top > 0 || !group.empty(); }
};

/// Errors: an unknown key, or a condition without '=' (usage).
Result<void> check(const PlanView& view);

/// Indices into plan.ops: in program order, or the most expensive first when `top` is set.
std::vector<std::size_t> selected(const plan::Plan& plan, const PlanView& view);

/// Findings of the codes asked for, else those about a selected operation.
std::vector<const plan::Finding*> findings_of(const plan::Plan& plan, const PlanView& view,
                                              const std::vector<std::size_t>& ops);

/// A line for each operation, also with the evidence for those that nothing speaks against.
std::string per_op_table(const plan::Plan& plan, const std::vector<std::size_t>& ops);

/// A line for each value of view.group, most expensive first.
std::string group_table(const plan::Plan& plan, const PlanView& view, const std::vector<std::size_t>& ops);

/// What a plan has of one type of operation.
struct TypeTotal {
  std::size_t ops = 0, on_ane = 0;
  double us = 0;
};
std::map<std::string, std::pair<TypeTotal, TypeTotal>> by_type(const plan::Plan& before, const plan::Plan& after);

/// "were they taken: 657 of 659 operations on the engine instead of 12 of 659, 13.11 ms by the planner instead of 90.20"
std::string outcome_text(const plan::Outcome& outcome, const plan::Plan& now);
/// Milliseconds, "9.5 to 12.4", or "unknown" where too little is known of the operations.
std::string latency_text(const plan::LatencyRange& latency);

}  // namespace anemone::report
