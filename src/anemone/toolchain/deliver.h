#pragma once
// Writing what a conversion made, and describing it.
#include "anemone/toolchain/convert.h"
#include "anemone/toolchain/results.h"

namespace anemone {

struct Delivered {
  ConvertResult result;
  Diagnostics warnings;
};

/// convert() and the writing; the format follows the extension: .mlpackage, .mil (with its weights beside it).
Result<Delivered> convert_to(const std::filesystem::path& input, const std::filesystem::path& output,
                             const ConvertOptions& options);

}  // namespace anemone
