#pragma once
// IR as a Core ML package. The same program always gives the same bytes.
#include <filesystem>

#include "anemone/ir/graph.h"
#include "anemone/support/result.h"

namespace anemone::mlpackage {

struct WrittenPackage {
  std::uint64_t bytes = 0;         ///< of all files
  std::uint64_t weight_bytes = 0;  ///< of weight.bin
};

/// Writes beside the target and renames: an interruption leaves the old package or none.
/// Errors: constants whose payload is missing (E0340), an opset that the specification version does not allow (E0341),
/// and what the file system says.
Result<WrittenPackage> write_mlpackage(const Program& program, const std::filesystem::path& target);

}  // namespace anemone::mlpackage
