#pragma once
// Plans for machines.
#include <string>

#include "anemone/report/plan_view.h"
#include "anemone/toolchain/plan_model.h"

namespace anemone::report {

std::string plan_json(const toolchain::PlanResult& result, const PlanView& view);
/// Before and after, by operation type and in total.
std::string plan_comparison_json(const toolchain::PlanResult& before, const toolchain::PlanResult& after);

}  // namespace anemone::report
