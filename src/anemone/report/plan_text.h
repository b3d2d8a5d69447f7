#pragma once
// Plans for people.
#include <string>

#include "anemone/report/plan_view.h"
#include "anemone/toolchain/plan_model.h"

namespace anemone::report {

/// One device: everything, or what the view selects. Several: a table, a line each.
std::string plan_text(const toolchain::PlanResult& result, const PlanView& view);
/// Before and after, by operation type and in total.
std::string plan_comparison_text(const toolchain::PlanResult& before, const toolchain::PlanResult& after);

}  // namespace anemone::report
