#pragma once
// Arrays of the graph as .npy files.
#include <filesystem>

#include "anemone/ir/op_def.h"
#include "anemone/support/result.h"

namespace anemone::toolchain {

Result<Array> read_array(const std::filesystem::path& npy);
Result<void> write_array(const std::filesystem::path& npy, const Array& array);

}  // namespace anemone::toolchain
