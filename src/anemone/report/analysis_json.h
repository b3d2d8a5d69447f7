#pragma once
// Analyses for machines.
#include <string>
#include <vector>

#include "anemone/toolchain/analysis.h"

namespace anemone::report {

std::string analysis_json(const toolchain::Analysis& analysis, bool tree);
/// One a model.
std::string analyses_json(const std::vector<toolchain::Analysis>& analyses, bool tree);
/// Both analyses.
std::string analysis_comparison_json(const toolchain::Analysis& first, const toolchain::Analysis& second);

}  // namespace anemone::report
