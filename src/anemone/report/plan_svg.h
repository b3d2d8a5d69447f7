#pragma once
// Plans as pictures.
#include <string>

#include "anemone/toolchain/plan_model.h"

namespace anemone::report {

/// A drawing of the program as a strip coloured by unit, with what is off the engine named.
std::string plan_svg(const toolchain::PlanResult& result);

}  // namespace anemone::report
