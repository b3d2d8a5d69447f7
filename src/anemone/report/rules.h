#pragma once
// The rules that plans rest on: for the terminal, for machines, and as a reference page.
#include <string>

#include "anemone/toolchain/tables.h"

namespace anemone::report {

std::string rules_text(const toolchain::RuleTables& tables);
std::string rules_json(const toolchain::RuleTables& tables);
std::string rules_markdown(const toolchain::RuleTables& tables);  ///< docs/reference/rules.md
std::string explain_text(const toolchain::RuleRow& rule);
std::string explain_json(const toolchain::RuleRow& rule);

}  // namespace anemone::report
