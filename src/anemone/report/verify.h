#pragma once
// Two models side by side, output by output.
#include <string>

#include "anemone/toolchain/results.h"

namespace anemone::report {

std::string verify_text(const VerifyResult& result);
std::string verify_json(const VerifyResult& result);

}  // namespace anemone::report
