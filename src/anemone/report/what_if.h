#pragma once
// Alternatives of a plan beside each other.
#include <string>
#include <vector>

#include "anemone/toolchain/what_if.h"

namespace anemone::report {

std::string what_if_text(const std::vector<toolchain::Alternative>& alternatives);
std::string what_if_json(const std::vector<toolchain::Alternative>& alternatives);

}  // namespace anemone::report
