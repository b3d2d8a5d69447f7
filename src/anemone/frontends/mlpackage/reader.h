#pragma once
// Core ML packages and bare ML Program specs as IR. Types stay as declared, unknown extents included; operations without
// a table row are carried as they are.
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "anemone/ir/graph.h"
#include "anemone/ir/op_def.h"
#include "anemone/support/result.h"

namespace anemone::mlpackage {

struct ReadPackage {
  std::unique_ptr<Program> program;
  /// Weight files that the program refers to and that are not there. Their constants have no payload
  /// (Constant::missing): enough to print, analyze and plan, not to run.
  std::vector<std::string> missing_files;
  std::string part_of;  ///< of a pipeline: which part this is, and what the others are; else empty
};

/// A `.mlpackage` folder or a bare `model.mlmodel` holding an ML Program, or a pipeline: then its ML Program number
/// `part` (from 1) is read, or the only one.
Result<ReadPackage> read_mlpackage(const std::filesystem::path& path, const OpTable& ops,
                                   std::optional<std::int64_t> part = {});

}  // namespace anemone::mlpackage
