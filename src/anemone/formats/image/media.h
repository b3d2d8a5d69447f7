#pragma once
// The media module, opened on first use: decoders load some 200 libraries, and most verbs need none of them.
#include <cstdint>
#include <vector>

#include "anemone/formats/image/media_module.h"
#include "anemone/support/result.h"

namespace anemone::formats {

/// E0312: it is missing, cannot be loaded, or is of another build.
const Result<const MediaFunctions*>& media();
/// Bytes from the module into a vector.
MediaSink sink(std::vector<std::uint8_t>& bytes);

}  // namespace anemone::formats
