#pragma once
// What pictures and pages share.
#include <string>
#include <string_view>

#include "anemone/plan/plan.h"

namespace anemone::report {

/// Text for XML and HTML, also inside quoted attributes; control characters become blanks.
std::string as_markup(std::string_view text);

/// The colour of a unit, as "#2f7ed8"; readable on white, distinct without colour vision.
std::string_view color(plan::Unit unit);

}  // namespace anemone::report
