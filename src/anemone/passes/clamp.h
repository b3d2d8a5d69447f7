#pragma once
// Operations that keep numbers within bounds, as one thing.
#include <optional>

#include "anemone/ir/graph.h"

namespace anemone::passes {

struct Clamp {
  Value* x;
  double low, high;  ///< may be infinite
};

/// relu, relu6, and clip with known bounds.
std::optional<Clamp> clamp_of(const Node& node);

}  // namespace anemone::passes
