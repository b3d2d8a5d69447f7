#pragma once
// Which operations a product can do to its sums before it stores them.
#include "anemone/ir/graph.h"
#include "anemone/runtime/cpu/epilogue.h"
#include "anemone/runtime/match.h"

namespace anemone::runtime {

/// An activation that epilogues know.
bool is_epilogue(const Node& node);
/// What the kernel of a group does to its sums; the summand is an operand of the call.
cpu::Epilogue epilogue_of(const Group& group, const GraphView& graph);

}  // namespace anemone::runtime
