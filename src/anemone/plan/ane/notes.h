#pragma once
// What a plan has to say besides its numbers: on what it rests, what was assumed, and where reports contradict it.
#include <string>
#include <vector>

#include "anemone/plan/ane/planner.h"
#include "anemone/plan/ane/subject.h"

namespace anemone::plan::ane {

std::vector<std::string> notes_on(const Subject& subject, const PlanOptions& options);

}  // namespace anemone::plan::ane
