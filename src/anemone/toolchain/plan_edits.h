#pragma once
// What a plan would be without what was found, where anemone has the edit that a finding suggests.
#include "anemone/toolchain/plan_model.h"

namespace anemone::toolchain {

/// Makes each edit on a copy of the program that was planned, and plans the copy: the findings' `without`. One that
/// changes nothing, or cannot be made, says nothing.
void try_edits(plan::Plan& plan, const Program& program, const Model& model, const plan::ane::Device& device,
               const PlanRequest& request);

/// A constant of which only the type matters: nothing reads it.
ConstantPtr hypothetical(Type type);

}  // namespace anemone::toolchain
