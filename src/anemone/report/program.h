#pragma once
// A program as MIL text, wrapped for machines.
#include <string>

namespace anemone::report {

std::string program_json(const std::string& text);

}  // namespace anemone::report
