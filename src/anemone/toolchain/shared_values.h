#pragma once
// Which values of one program are those of another.
#include <utility>
#include <vector>

#include "anemone/ir/graph.h"

namespace anemone::toolchain {

struct SharedValue {
  const Value* mine;    ///< of the candidate
  const Value* theirs;  ///< of the reference
};

/// Floating-point results of operations that both functions have, in the candidate's order: outputs that stand against
/// each other (`outputs`: indices into those of the two), and values under one name. Names follow the meaning: what
/// takes the place of a value takes its name (replace_value), so that a fused operation has the name of its last part.
/// Values of different extents are not the same.
std::vector<SharedValue> shared_values(const Function& candidate, const Function& reference,
                                       const std::vector<std::pair<std::size_t, std::size_t>>& outputs);

/// The floating-point results that are compared at all: computed at run time, extents known.
std::vector<const Value*> compared_values(const Function& function);

}  // namespace anemone::toolchain
