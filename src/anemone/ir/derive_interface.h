#pragma once
// An interface for functions that come without one.
#include "anemone/ir/graph.h"

namespace anemone {

/// The plain interface of a function without one: arrays of the types of its inputs and outputs; an unknown extent
/// becomes a range from 1 without upper bound.
Interface derive_interface(const Function& function);

}  // namespace anemone
