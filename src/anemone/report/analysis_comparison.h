#pragma once
// Two models side by side.
#include <string>

#include "anemone/toolchain/analysis.h"

namespace anemone::report {

std::string analysis_comparison_text(const toolchain::Analysis& first, const toolchain::Analysis& second);

}  // namespace anemone::report
