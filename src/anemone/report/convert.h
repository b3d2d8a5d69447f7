#pragma once
// Conversions: what was written, and what the passes did.
#include <string>
#include <utility>
#include <vector>

#include "anemone/toolchain/results.h"

namespace anemone::report {

std::string convert_text(const toolchain::ConvertResult& result, bool stats);
std::string convert_json(const toolchain::ConvertResult& result);
/// The same with what other verbs said of the output, each document as a member of that name.
std::string convert_json(const toolchain::ConvertResult& result,
                         const std::vector<std::pair<std::string, std::string>>& documents);

}  // namespace anemone::report
