#pragma once
// Analyses for machines.
#include <string>

#include "anemone/toolchain/analysis.h"

namespace anemone::report {

std::string analysis_json(const Analysis& analysis, bool tree);
/// Both analyses.
std::string analysis_comparison_json(const Analysis& first, const Analysis& second);

}  // namespace anemone::report
