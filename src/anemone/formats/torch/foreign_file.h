#pragma once
// Says what a file is that was given as a checkpoint and is none.
#include <cstddef>
#include <span>
#include <string>

#include "anemone/support/diagnostic.h"

namespace anemone {

/// What the file is, and what to do about it (E0501 to E0508).
Diagnostic explain_foreign_file(std::span<const std::byte> file, const std::string& name);

}  // namespace anemone
