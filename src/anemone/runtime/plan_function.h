#pragma once
// The stages that turn a function into a plan.
#include "anemone/runtime/engine.h"
#include "anemone/runtime/plan.h"

namespace anemone::runtime {

/// Check, match, layout and algorithm, place. Runs nothing and needs no threads; errors as Engine::compile. The plan
/// keeps nothing of the function but the payload of its constants.
Result<Plan> plan_function(const Function& function, const EngineOptions& options = {});

}  // namespace anemone::runtime
