#pragma once
// What a bug report should say about the program and the machine.
#include <string>

#include "anemone/toolchain/results.h"

namespace anemone::report {

std::string version_text(const toolchain::VersionResult& result);
std::string version_json(const toolchain::VersionResult& result);

}  // namespace anemone::report
