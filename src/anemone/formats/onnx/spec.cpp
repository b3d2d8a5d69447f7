// Element types of ONNX, sizes, and comparison.
#include "anemone/formats/onnx/spec.h"

#include <algorithm>
#include <cstring>

namespace anemone::formats::onnxspec {
namespace {

struct DataTypeRow {
  std::string_view name;
  unsigned bits;
};
/// By number.
constexpr DataTypeRow kDataTypes[] = {
    {"undefined", 0},      {"float", 32},    {"uint8", 8},        {"int8", 8},           {"uint16", 16},
    {"int16", 16},         {"int32", 32},    {"int64", 64},       {"string", 0},         {"bool", 8},
    {"float16", 16},       {"double", 64},   {"uint32", 32},      {"uint64", 64},        {"complex64", 64},
    {"complex128", 128},   {"bfloat16", 16}, {"float8e4m3fn", 8}, {"float8e4m3fnuz", 8}, {"float8e5m2", 8},
    {"float8e5m2fnuz", 8}, {"uint4", 4},     {"int4", 4},         {"float4e2m1", 4},     {"float8e8m0", 8},
    {"uint2", 2},          {"int2", 2},
};

const DataTypeRow* row_of(DataType dtype) {
  const auto number = static_cast<std::size_t>(dtype);
  return number < std::size(kDataTypes) ? &kDataTypes[number] : nullptr;
}

}  // namespace

std::string_view name_of(DataType dtype) {
  const DataTypeRow* row = row_of(dtype);
  return row ? row->name : "?";
}

unsigned bits_of(DataType dtype) {
  const DataTypeRow* row = row_of(dtype);
  return row ? row->bits : 0;
}

std::optional<std::int64_t> element_count(const std::vector<std::int64_t>& dims) {
  std::int64_t count = 1;
  bool overflow = false, zero = false;
  for (const std::int64_t extent : dims) {
    if (extent < 0) return std::nullopt;
    zero |= extent == 0;
    if (extent != 0) overflow |= count > INT64_MAX / extent;
    if (!overflow && extent != 0) count *= extent;
  }
  if (zero) return 0;
  if (overflow) return std::nullopt;
  return count;
}

std::optional<std::int64_t> packed_size(DataType dtype, std::int64_t count) {
  const unsigned bits = bits_of(dtype);
  if (bits == 0 || count < 0) return std::nullopt;
  if (bits < 8) {
    const std::int64_t per_byte = 8 / bits;
    return count / per_byte + (count % per_byte != 0 ? 1 : 0);
  }
  if (count > INT64_MAX / (bits / 8)) return std::nullopt;
  return count * (bits / 8);
}

bool Tensor::operator==(const Tensor& other) const {
  return name == other.name && dtype == other.dtype && dims == other.dims && strings == other.strings &&
         external == other.external && doc == other.doc && metadata == other.metadata &&
         std::equal(data.view.begin(), data.view.end(), other.data.view.begin(), other.data.view.end());
}

bool Attribute::operator==(const Attribute& other) const {
  return name == other.name && kind == other.kind && value == other.value && reference == other.reference &&
         doc == other.doc;
}

}  // namespace anemone::formats::onnxspec
