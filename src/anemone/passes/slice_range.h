#pragma once
// A slice that takes a range of one axis, and all of the others.
#include <optional>

#include "anemone/ir/builder.h"
#include "anemone/ir/graph.h"

namespace anemone::passes {

struct SliceRange {
  Value* x;
  std::int64_t axis, begin, end;
};

/// Whether the axis of the range may be dropped, where it takes one element of it.
enum class Squeezed : bool { refused, allowed };

/// What a slice_by_index takes; nothing where it takes less along two axes, leaves some out, turns an axis around, drops
/// one, or is not known now.
std::optional<SliceRange> slice_range(const Node& node, Squeezed squeezed = Squeezed::refused);
Value* add_slice(Builder& builder, const SliceRange& range);

}  // namespace anemone::passes
