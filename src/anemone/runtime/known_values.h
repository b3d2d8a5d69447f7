#pragma once
// The numbers of values that are known at compile time: constants, compressed ones, which are unpacked, and what is
// computed from them.
#include "anemone/runtime/engine.h"

namespace anemone::runtime {

/// Of a value that is_computed_from_static.
Result<Array> known_array(const Value& value);
/// The same, rounded as values are; empty when there is none (null). A copy: for what is packed or combined at once.
Result<std::vector<float>> known_floats(const Value* value, Precision precision);

}  // namespace anemone::runtime
