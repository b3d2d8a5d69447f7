#pragma once
// Analyses for people, machines and documents.
#include <optional>
#include <string>

#include "anemone/toolchain/analysis.h"

namespace anemone::report {

struct AnalysisText {
  bool color = false;
  bool tree = false;         ///< the module tree instead of the summary
  std::size_t depth = 1000;  ///< of the tree
};

std::string analysis_text(const Analysis& analysis, const AnalysisText& how = {});
std::string analysis_json(const Analysis& analysis, bool tree);
/// A page of findings to keep beside the model.
std::string analysis_markdown(const Analysis& analysis);
/// Two models side by side: text, and JSON with both analyses.
std::string analysis_comparison_text(const Analysis& first, const Analysis& second);
std::string analysis_comparison_json(const Analysis& first, const Analysis& second);

}  // namespace anemone::report
