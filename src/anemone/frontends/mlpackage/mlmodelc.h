#pragma once
// Compiled Core ML models as IR.
#include "anemone/frontends/mlpackage/reader.h"

namespace anemone::mlpackage {

/// A `.mlmodelc` folder, through the MIL text that Apple's compiler leaves in it (`model.mil`).
Result<ReadPackage> read_mlmodelc(const std::filesystem::path& path, const OpTable& ops);

}  // namespace anemone::mlpackage
