#pragma once
// The plan of the CPU engine, for readers and for programs.
#include <string>

#include "anemone/toolchain/engine_plan.h"

namespace anemone::report {

/// A line a call: what it does, how, on how much.
std::string engine_plan_text(const toolchain::EnginePlan& plan);
/// Schema anemone.engine-plan/1, with every operand and its place.
std::string engine_plan_json(const toolchain::EnginePlan& plan);

}  // namespace anemone::report
