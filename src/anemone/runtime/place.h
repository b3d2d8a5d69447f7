#pragma once
// Memory for a plan: which results may take the place of an operand, how long each buffer lives, and where it lies.
#include "anemone/runtime/plan.h"

namespace anemone::runtime {

/// Removes calls whose results nobody reads: what made a weight that a kernel has packed.
void drop_unread(Plan& plan);

/// Merges and orders plan.buffers and fills in plan.arena_bytes. E0712: more than this machine has.
Result<void> place(Plan& plan);

}  // namespace anemone::runtime
