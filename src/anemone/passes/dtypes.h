#pragma once
// Which numbers a dtype has.
#include "anemone/ir/type.h"

namespace anemone::passes {

/// Every number of `narrow` is one of `wide`.
bool holds(DType wide, DType narrow);

}  // namespace anemone::passes
