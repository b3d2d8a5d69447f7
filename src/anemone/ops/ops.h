#pragma once
// The table of every MIL operation that anemone understands.
#include "anemone/ir/op_def.h"

namespace anemone::ops {

/// One row an operation: parameters, type rule, meaning. Listed by hand in ops.cpp.
const OpTable& table();

}  // namespace anemone::ops
