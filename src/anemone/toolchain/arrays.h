#pragma once
// Arrays of the graph as .npy files.
#include <filesystem>
#include <set>
#include <string>

#include "anemone/ir/op_def.h"
#include "anemone/support/result.h"

namespace anemone::toolchain {

Result<Array> read_array(const std::filesystem::path& npy);
/// A name like "landmarks.npy" for which every value of a foreign program is safe, and which is not `taken` yet.
std::string file_name(const std::string& value, std::set<std::string>& taken);
Result<void> write_array(const std::filesystem::path& npy, const Array& array);

}  // namespace anemone::toolchain
