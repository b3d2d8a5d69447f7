#pragma once
// Faces for landmark networks: on noise a decoder has no peak to find, and its numbers say nothing.
#include <cstdint>
#include <vector>

#include "anemone/support/result.h"
#include "anemone/toolchain/inputs.h"

namespace anemone::toolchain {

/// The face of examples/astronaut (NASA, public domain), which is compiled into the program: first as it is, then
/// shifted, scaled, turned, brighter or darker, and with noise, as drawn from `seed`. Every label says what was done.
/// E0312: the module that reads images is missing.
Result<std::vector<InputFile>> face_pictures(std::int64_t width, std::int64_t height, std::uint64_t seed);

}  // namespace anemone::toolchain
