// Names and sizes of the element types, in the order of the enumeration.
#include "anemone/formats/wire/scalar_type.h"

#include <array>

namespace anemone::formats {

namespace {

struct Row {
  std::string_view name;
  std::size_t size;
};

constexpr std::array<Row, kScalarTypeCount> kRows{{
    {"bool", 1},        {"uint8", 1},           {"uint16", 2},    {"uint32", 4},        {"uint64", 8},
    {"int8", 1},        {"int16", 2},           {"int32", 4},     {"int64", 8},         {"float16", 2},
    {"bfloat16", 2},    {"float32", 4},         {"float64", 8},   {"float8_e4m3fn", 1}, {"float8_e4m3fnuz", 1},
    {"float8_e5m2", 1}, {"float8_e5m2fnuz", 1}, {"complex64", 8}, {"complex128", 16},
}};

}  // namespace

std::string_view name(ScalarType type) { return kRows[static_cast<std::size_t>(type)].name; }

std::size_t byte_size(ScalarType type) { return kRows[static_cast<std::size_t>(type)].size; }

std::optional<ScalarType> scalar_type_from(std::string_view name) {
  for (std::size_t i = 0; i < kRows.size(); ++i) {
    if (kRows[i].name == name) return static_cast<ScalarType>(i);
  }
  return std::nullopt;
}

}  // namespace anemone::formats
