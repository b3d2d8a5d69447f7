#pragma once
// Plans as pages.
#include <string>

#include "anemone/toolchain/plan_model.h"

namespace anemone::report {

/// One self-contained page about the first plan: numbers, a strip of segments, findings, and a table of operations that
/// can be searched, sorted and grouped. Nothing is loaded from elsewhere; without scripts everything can still be read.
std::string plan_html(const toolchain::PlanResult& result);

}  // namespace anemone::report
