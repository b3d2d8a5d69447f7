#pragma once
// Between which numbers the elements of a value lie, as far as its operations say.
#include <limits>

#include "anemone/ir/graph.h"

namespace anemone::passes {

struct Bounds {
  double low = -std::numeric_limits<double>::infinity(), high = std::numeric_limits<double>::infinity();
  bool may_be_nan = true;  ///< the bounds are about the elements that are not
};

/// Looks through a few operations: activations, clamps, and what only moves elements.
Bounds bounds_of(const Value& value);

}  // namespace anemone::passes
