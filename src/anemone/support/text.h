#pragma once
// Numbers and words in sentences for people.
#include <cstdint>
#include <string>

namespace anemone {

/// 17,177,332
std::string grouped(std::int64_t n);

}  // namespace anemone
