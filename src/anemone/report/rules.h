#pragma once
// The rules that plans rest on: for the terminal, for machines, and as a reference page.
#include <string>

#include "anemone/toolchain/tables.h"

namespace anemone::report {

std::string rules_text(const RuleTables& tables);
std::string rules_json(const RuleTables& tables);
std::string rules_markdown(const RuleTables& tables);  ///< docs/reference/rules.md
std::string explain_text(const RuleRow& rule);
std::string explain_json(const RuleRow& rule);

}  // namespace anemone::report
