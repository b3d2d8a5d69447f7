#pragma once
// The arrays of a comparison that failed, as files to look into.
#include <filesystem>
#include <optional>
#include <vector>

#include "anemone/support/result.h"
#include "anemone/toolchain/verify_causes.h"
#include "anemone/toolchain/verify_result.h"

namespace anemone::toolchain {

/// Writes .npy files into `folder`, which is made where it is not there: of each comparison what both sides took and
/// gave, and, with `layers`, the three values that add most on the first one, with the numbers that their operations
/// were fed. Inputs are the arrays of each side's own function, as `run --input` takes them. Each file appears whole.
/// An index.json that an earlier run left is removed first: the caller writes the new one last, so that what an index
/// names is complete. E0109, and what writing can fail with.
Result<std::vector<SavedArray>> save_arrays(const std::vector<Comparison>& comparisons,
                                            const std::optional<Layers>& layers, const std::filesystem::path& folder);

}  // namespace anemone::toolchain
