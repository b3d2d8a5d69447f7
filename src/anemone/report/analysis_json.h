#pragma once
// Analyses for machines.
#include <string>

#include "anemone/toolchain/analysis.h"

namespace anemone::report {

std::string analysis_json(const toolchain::Analysis& analysis, bool tree);
/// Both analyses.
std::string analysis_comparison_json(const toolchain::Analysis& first, const toolchain::Analysis& second);

}  // namespace anemone::report
