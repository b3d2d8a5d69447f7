#pragma once
// Could the engine take this operation?
#include "anemone/ir/graph.h"
#include "anemone/plan/ane/device.h"

namespace anemone::ane {

/// Looks at the node's own types, constants and operands; never at weights. `off` lists operation types that are taken
/// off the engine as a hypothesis.
Verdict verdict(const Node& node, const Device& device, const std::vector<std::string>& off = {});

/// Operands that come at run time: no constants, no results of constexpr operations.
std::vector<const Value*> runtime_operands(const Node& node);

/// Of a tensor of fixed shape; 0 where that is unknown. At most 2^44, so that sums over a program fit whatever a file
/// claims.
std::int64_t bytes_of(const Value& value);

}  // namespace anemone::ane
