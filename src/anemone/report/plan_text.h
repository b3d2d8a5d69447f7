#pragma once
// Plans for people.
#include <optional>
#include <string>
#include <vector>

#include "anemone/report/plan_view.h"
#include "anemone/toolchain/plan_model.h"

namespace anemone::report {

/// One of several models, or why it has no plan.
struct PlanRow {
  std::string model;
  std::optional<plan::Plan> plan;
  Diagnostic problem;
};
/// A line for each model, all on one chip.
std::string plan_rows_text(const std::vector<PlanRow>& rows);

/// One device: everything, or what the view selects. Several: a table, a line each.
std::string plan_text(const toolchain::PlanResult& result, const PlanView& view);
/// Before and after, by operation type and in total.
std::string plan_comparison_text(const toolchain::PlanResult& before, const toolchain::PlanResult& after);

}  // namespace anemone::report
