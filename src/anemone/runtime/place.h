#pragma once
// Memory for a plan: which results may take the place of an operand, how long each buffer lives, and where it lies.
#include "anemone/runtime/plan.h"

namespace anemone::runtime {

/// Merges and orders plan.buffers and fills in plan.arena_bytes. E0712: more than this machine has.
Result<void> place(Plan& plan);

}  // namespace anemone::runtime
