#pragma once
// Analyses for people.
#include <string>

#include "anemone/toolchain/analysis.h"

namespace anemone::report {

struct AnalysisText {
  bool full = false;         ///< the tables and the findings behind what decides
  bool tree = false;         ///< the module tree instead of the summary
  std::size_t depth = 1000;  ///< of the tree
};

std::string analysis_text(const toolchain::Analysis& analysis, const AnalysisText& how = {});

}  // namespace anemone::report
