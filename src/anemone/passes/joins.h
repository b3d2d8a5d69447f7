#pragma once
// What was joined by a concat or a stack, and where.
#include <vector>

#include "anemone/ir/trial.h"

namespace anemone::passes {

/// The parameter `axis` of a node, from 0, as one of the value's.
std::int64_t axis_of(const Node& node, const Value& value);
std::int64_t extent(const Value& value, std::int64_t axis);

/// A concat of known extents whose values stand one after the other.
bool is_plain_concat(const Node& node);

/// What was joined at exactly these places of the value: an operand of the plain concat or of the stack that made it, or
/// null. That of a stack has no such axis.
Value* part_of(const Value& joined, std::int64_t axis, std::int64_t begin, std::int64_t end);

/// The concat of these values takes the place of this one, or the value itself where there is one; false when the trial is
/// not kept.
bool join_instead(Trial& trial, Node& concat, const std::vector<Value*>& values);

}  // namespace anemone::passes
