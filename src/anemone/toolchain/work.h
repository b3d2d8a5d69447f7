#pragma once
// How much a program computes.
#include <cstdint>

#include "anemone/ir/graph.h"

namespace anemone {

/// Multiply-accumulates of all nodes, inner blocks once.
std::int64_t total_macs(const Function& function);

}  // namespace anemone
