// Names, sizes and comparison of types.
#include "anemone/ir/type.h"

#include <fmt/format.h>

#include <array>
#include <limits>

namespace anemone {
namespace {

struct DTypeRow {
  DType dtype;
  std::string_view name;
  int bits;
  int mil_number;
};
constexpr std::array<DTypeRow, kDTypeCount> kDTypes{{
    {DType::boolean, "bool", 8, 1},         {DType::string, "string", 0, 2},    {DType::fp16, "fp16", 16, 10},
    {DType::fp32, "fp32", 32, 11},          {DType::fp64, "fp64", 64, 12},      {DType::bf16, "bf16", 16, 13},
    {DType::fp8e4m3fn, "fp8e4m3fn", 8, 40}, {DType::fp8e5m2, "fp8e5m2", 8, 41}, {DType::int4, "int4", 4, 25},
    {DType::int8, "int8", 8, 21},           {DType::int16, "int16", 16, 22},    {DType::int32, "int32", 32, 23},
    {DType::int64, "int64", 64, 24},        {DType::uint1, "uint1", 1, 37},     {DType::uint2, "uint2", 2, 36},
    {DType::uint3, "uint3", 3, 39},         {DType::uint4, "uint4", 4, 35},     {DType::uint6, "uint6", 6, 38},
    {DType::uint8, "uint8", 8, 31},         {DType::uint16, "uint16", 16, 32},  {DType::uint32, "uint32", 32, 33},
    {DType::uint64, "uint64", 64, 34},
}};
constexpr bool rows_in_order() {
  for (int i = 0; i < kDTypeCount; ++i) {
    if (static_cast<int>(kDTypes[static_cast<std::size_t>(i)].dtype) != i) return false;
  }
  return true;
}
static_assert(rows_in_order());

const DTypeRow& row(DType dtype) { return kDTypes[static_cast<std::size_t>(dtype)]; }

std::string extent_text(std::int64_t extent) { return extent == kUnknown ? "?" : std::to_string(extent); }

std::string dims_text(std::span<const std::int64_t> dims, std::string_view separator) {
  std::string out = "[";
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (i) out += separator;
    out += extent_text(dims[i]);
  }
  return out + "]";
}

}  // namespace

std::string_view name(DType dtype) { return row(dtype).name; }

std::optional<DType> dtype_from(std::string_view name) {
  for (const DTypeRow& r : kDTypes) {
    if (r.name == name) return r.dtype;
  }
  return std::nullopt;
}

int bits(DType dtype) { return row(dtype).bits; }
int mil_number(DType dtype) { return row(dtype).mil_number; }

std::optional<DType> dtype_from_mil(int number) {
  for (const DTypeRow& r : kDTypes) {
    if (r.mil_number == number) return r.dtype;
  }
  return std::nullopt;
}

bool is_float(DType dtype) { return dtype >= DType::fp16 && dtype <= DType::fp8e5m2; }
bool is_integer(DType dtype) { return dtype >= DType::int4; }

std::optional<std::int64_t> element_count(std::span<const std::int64_t> dims) {
  std::int64_t count = 1;
  bool empty = false;
  for (std::int64_t extent : dims) {
    if (extent < 0) return std::nullopt;
    if (extent == 0) {
      empty = true;
      continue;
    }
    if (count > std::numeric_limits<std::int64_t>::max() / extent) return std::nullopt;
    count *= extent;
  }
  return empty ? 0 : count;
}

std::optional<std::int64_t> byte_count(DType dtype, std::span<const std::int64_t> dims) {
  const auto count = element_count(dims);
  if (!count || *count > std::numeric_limits<std::int64_t>::max() / 64) return std::nullopt;
  return (*count * bits(dtype) + 7) / 8;
}

Dims row_major_strides(std::span<const std::int64_t> dims) {
  Dims strides(dims.size(), 1);
  for (std::size_t i = dims.size(); i-- > 1;) strides[i - 1] = strides[i] * dims[i];
  return strides;
}

Type Type::tensor(DType dtype, Dims dims) {
  Type t;
  t.dtype = dtype;
  t.dims = std::move(dims);
  return t;
}
Type Type::unranked(DType dtype) {
  Type t;
  t.dtype = dtype;
  t.ranked = false;
  return t;
}
Type Type::list(Type element, std::int64_t length) {
  Type t;
  t.kind = Kind::list;
  t.length = length;
  t.elements = {std::move(element)};
  return t;
}
Type Type::dictionary(Type key, Type value) {
  Type t;
  t.kind = Kind::dictionary;
  t.elements = {std::move(key), std::move(value)};
  return t;
}
Type Type::tuple(std::vector<Type> elements) {
  Type t;
  t.kind = Kind::tuple;
  t.elements = std::move(elements);
  return t;
}
Type Type::state(Type wrapped) {
  Type t;
  t.kind = Kind::state;
  t.elements = {std::move(wrapped)};
  return t;
}

bool Type::is_fixed() const {
  if (kind != Kind::tensor || !ranked) return false;
  for (std::int64_t extent : dims) {
    if (extent < 0) return false;
  }
  return true;
}

std::string to_string(const Type& type) {
  std::string inner;
  for (std::size_t i = 0; i < type.elements.size(); ++i) inner += (i ? ", " : "") + to_string(type.elements[i]);
  switch (type.kind) {
    case Type::Kind::tensor:
      return fmt::format("tensor<{}, {}>", name(type.dtype), type.ranked ? dims_text(type.dims, ", ") : "[...]");
    case Type::Kind::list:
      return fmt::format("list<{}, {}>", inner, extent_text(type.length));
    case Type::Kind::tuple:
      return fmt::format("tuple<{}>", inner);
    case Type::Kind::dictionary:
      return fmt::format("dict<{}>", inner);
    case Type::Kind::state:
      return fmt::format("state<{}>", inner);
  }
  return {};
}

std::string brief(std::span<const std::int64_t> dims) { return dims_text(dims, ","); }

std::string brief(const Type& type) {
  if (!type.is_tensor()) return to_string(type);
  return fmt::format("{}{}", name(type.dtype), type.ranked ? dims_text(type.dims, ",") : "[...]");
}

bool compatible(const Type& declared, const Type& actual) {
  if (declared.kind != actual.kind || declared.elements.size() != actual.elements.size()) return false;
  for (std::size_t i = 0; i < declared.elements.size(); ++i) {
    if (!compatible(declared.elements[i], actual.elements[i])) return false;
  }
  if (declared.kind == Type::Kind::list) {
    return declared.length == actual.length || declared.length == kUnknown || actual.length == kUnknown;
  }
  if (declared.kind != Type::Kind::tensor) return true;
  if (declared.dtype != actual.dtype) return false;
  if (!declared.ranked || !actual.ranked) return true;
  if (declared.dims.size() != actual.dims.size()) return false;
  for (std::size_t i = 0; i < declared.dims.size(); ++i) {
    const std::int64_t a = declared.dims[i], b = actual.dims[i];
    if (a != b && a != kUnknown && b != kUnknown) return false;
  }
  return true;
}

}  // namespace anemone
