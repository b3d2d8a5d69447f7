#pragma once
// What came out of an execution.
#include <string>

#include "anemone/toolchain/results.h"

namespace anemone::report {

std::string run_text(const toolchain::RunResult& result);
std::string run_json(const toolchain::RunResult& result);

}  // namespace anemone::report
