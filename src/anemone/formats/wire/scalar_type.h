#pragma once
// Element types of PyTorch checkpoints and NumPy arrays.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace anemone::formats {

enum class ScalarType : std::uint8_t {
  boolean,
  uint8,
  uint16,
  uint32,
  uint64,
  int8,
  int16,
  int32,
  int64,
  float16,
  bfloat16,
  float32,
  float64,
  float8_e4m3fn,
  float8_e4m3fnuz,
  float8_e5m2,
  float8_e5m2fnuz,
  complex64,
  complex128,
};
inline constexpr int kScalarTypeCount = static_cast<int>(ScalarType::complex128) + 1;

/// As PyTorch and NumPy write it: "float32", "bool".
std::string_view name(ScalarType type);
std::optional<ScalarType> scalar_type_from(std::string_view name);
/// Of one element: 1 to 16.
std::size_t byte_size(ScalarType type);

}  // namespace anemone::formats
