#pragma once
// Links of a chain that nobody else reads.
#include <string_view>

#include "anemone/ir/rewrite.h"

namespace anemone::passes {

/// A node of this type that makes the value for this reader alone, or null.
inline Node* made_for(const Value* value, std::string_view type, const Node& reader) {
  Node* node = producer(value, type);
  return node && only_user(value) == &reader && same_block(*node, reader) ? node : nullptr;
}

}  // namespace anemone::passes
