#pragma once
// What `analyze` finds by itself, beside the rules of the planners: for `explain`.
#include <span>

#include "anemone/plan/finding.h"

namespace anemone::toolchain {

/// Codes are words: "dead-weights".
std::span<const plan::RuleText> analysis_rules();

}  // namespace anemone::toolchain
