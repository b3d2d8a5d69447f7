#pragma once
// Strides, pads and dilations that do nothing.
#include <algorithm>
#include <cstdint>
#include <span>

namespace anemone::passes {

/// Each of the whole numbers is this one.
inline bool all_are(std::span<const std::int64_t> ints, std::int64_t one) {
  return std::all_of(ints.begin(), ints.end(), [one](std::int64_t i) { return i == one; });
}

}  // namespace anemone::passes
