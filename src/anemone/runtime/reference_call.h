#pragma once
// Carrying out an operation that no kernel covers.
#include <span>

#include "anemone/runtime/plan.h"

namespace anemone::runtime {

/// `at`: one pointer an operand; integers lie in the plan.
Result<void> run_reference(const Call& call, Plan& plan, std::span<float* const> at);

}  // namespace anemone::runtime
