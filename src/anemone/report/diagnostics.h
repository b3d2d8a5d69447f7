#pragma once
// Errors for machines.
#include <string>

#include "anemone/support/diagnostic.h"

namespace anemone::report {

/// The object that takes the place of a result.
std::string errors_json(const Diagnostics& diagnostics, int exit_code);

}  // namespace anemone::report
