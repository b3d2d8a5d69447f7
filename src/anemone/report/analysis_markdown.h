#pragma once
// A page of findings to keep beside the model.
#include <string>

#include "anemone/toolchain/analysis.h"

namespace anemone::report {

std::string analysis_markdown(const toolchain::Analysis& analysis);

}  // namespace anemone::report
