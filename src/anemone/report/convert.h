#pragma once
// Conversions: what was written, and what the passes did.
#include <string>

#include "anemone/toolchain/results.h"

namespace anemone::report {

std::string convert_text(const toolchain::ConvertResult& result, bool stats);
std::string convert_json(const toolchain::ConvertResult& result);

}  // namespace anemone::report
