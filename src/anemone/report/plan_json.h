#pragma once
// Plans for machines.
#include <string>
#include <vector>

#include "anemone/report/plan_text.h"
#include "anemone/report/plan_view.h"
#include "anemone/toolchain/plan_model.h"

namespace anemone::report {

std::string plan_json(const toolchain::PlanResult& result, const PlanView& view);
/// One object a model, without its operations.
std::string plan_rows_json(const std::vector<PlanRow>& rows);
/// Before and after, by operation type and in total.
std::string plan_comparison_json(const toolchain::PlanResult& before, const toolchain::PlanResult& after);

}  // namespace anemone::report
