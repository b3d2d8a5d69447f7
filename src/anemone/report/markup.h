#pragma once
// What pictures and pages share.
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "anemone/plan/plan.h"

namespace anemone::report {

/// Text for XML and HTML, also inside quoted attributes; control characters become blanks.
std::string as_markup(std::string_view text);

/// Bytes for a data: URI (RFC 4648).
std::string base64(std::span<const std::uint8_t> bytes);

/// The colour of a unit, as "#2f7ed8"; readable on white, distinct without colour vision.
std::string_view color(plan::Unit unit);

}  // namespace anemone::report
