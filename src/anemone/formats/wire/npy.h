#pragma once
// NumPy arrays in .npy files (numpy/lib/format.py describes them).
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "anemone/formats/wire/scalar_type.h"
#include "anemone/support/bytes.h"
#include "anemone/support/result.h"

namespace anemone::formats {

/// Row-major, little-endian. Types: bool, (u)int8 to (u)int64, float16, float32, float64.
struct NpyArray {
  ScalarType dtype = ScalarType::float32;
  std::vector<std::int64_t> shape;
  Bytes bytes;
};

/// Versions 1 to 3. Column-major arrays are transposed into a buffer of their own; the bytes of others are a view of
/// the file. E0560 to E0564 for what is not such an array, is not supported, or does not have the size it says.
Result<NpyArray> read_npy(const std::filesystem::path& path);
Result<NpyArray> read_npy(const Bytes& file, const std::string& name);

/// The bytes before the elements, as numpy.save writes them (version 1, elements aligned to 64 bytes).
std::string npy_header(ScalarType dtype, std::span<const std::int64_t> shape);

/// Appears complete or not at all. E0565 for types that NumPy does not have, and sizes that do not match.
Result<void> write_npy(const std::filesystem::path& path, const NpyArray& array);

}  // namespace anemone::formats
