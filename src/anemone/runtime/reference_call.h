#pragma once
// An operation that no kernel covers: its own small copy, its operands converted to doubles and its results back.
#include <utility>
#include <vector>

#include "anemone/runtime/step.h"

namespace anemone::runtime {

struct ReferenceCall {
  const Node* node = nullptr;                        ///< the copy
  std::vector<std::pair<const Value*, Ref>> inputs;  ///< values of the copy, and where they lie
  std::vector<std::pair<Ref, bool>> outputs;         ///< where they go, and whether they are rounded to half
  Result<void> operator()(Frame& frame) const;
};

}  // namespace anemone::runtime
