#pragma once
// Words for norms that are written out: squares, divisions by roots, and what a reduction goes along.
#include <optional>

#include "anemone/ir/graph.h"

namespace anemone::passes {

/// The axes of a reduction, from 0, ascending.
Dims reduced_axes(const Node& reduction);

/// What the value is the square of, or null.
Value* square_of(const Value* value);

/// x / √(radicand + epsilon), by a root or its reciprocal, which may be powers; rsqrt adds an epsilon of its own.
struct OverRoot {
  Value *x, *radicand;
  double epsilon;
};
std::optional<OverRoot> over_root(const Node& node);

}  // namespace anemone::passes
