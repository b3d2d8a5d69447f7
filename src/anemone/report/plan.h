#pragma once
// Plans for people, machines and documents, and the rules they rest on.
#include <optional>
#include <string>

#include "anemone/report/plan_view.h"
#include "anemone/toolchain/plan_model.h"

namespace anemone::report {

/// One device: everything, or what the view selects. Several: a table, a line each.
std::string plan_text(const PlanResult& result, const PlanView& view);
std::string plan_json(const PlanResult& result, const PlanView& view);
/// Before and after, by operation type and in total.
std::string plan_comparison_text(const PlanResult& before, const PlanResult& after);
std::string plan_comparison_json(const PlanResult& before, const PlanResult& after);
/// A drawing of the program as a strip coloured by unit, with what is off the engine named.
std::string plan_svg(const PlanResult& result);

std::string rules_text();
std::string rules_json();
std::string rules_markdown();  ///< docs/reference/rules.md
/// The rule of a code; nothing when there is none.
std::optional<std::string> explain_text(const std::string& code);
std::optional<std::string> explain_json(const std::string& code);
std::string nearest_rule(const std::string& code);

}  // namespace anemone::report
