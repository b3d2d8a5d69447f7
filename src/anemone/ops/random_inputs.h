#pragma once
// Inputs to try a program with where nobody gives any.
#include <cstdint>
#include <vector>

#include "anemone/ir/op_def.h"

namespace anemone::ops {

/// Seeded inputs for a function: images get whole numbers 0…255, floats a uniform [-1, 1), integers small indices;
/// states begin as zeros, as Core ML's do.
/// Errors: E0721 for inputs without a fixed shape.
Result<std::vector<Array>> random_inputs(const Function& function, std::uint64_t seed);

}  // namespace anemone::ops
