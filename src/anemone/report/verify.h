#pragma once
// Two models side by side, output by output.
#include <string>

#include "anemone/toolchain/results.h"

namespace anemone::report {

std::string verify_text(const toolchain::VerifyResult& result);
std::string verify_json(const toolchain::VerifyResult& result);

}  // namespace anemone::report
