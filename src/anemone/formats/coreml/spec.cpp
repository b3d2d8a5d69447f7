// Element types of ML Programs, and comparison of the recursive structs.
#include "anemone/formats/coreml/spec.h"

#include <algorithm>
#include <cstring>

namespace anemone::formats::milspec {

namespace {

struct DataTypeRow {
  DataType dtype;
  std::string_view name;
  unsigned bits;
};

constexpr DataTypeRow kDataTypes[] = {
    {DataType::unused, "UNUSED_TYPE", 0},
    {DataType::boolean, "BOOL", 8},
    {DataType::string, "STRING", 0},
    {DataType::float16, "FLOAT16", 16},
    {DataType::float32, "FLOAT32", 32},
    {DataType::float64, "FLOAT64", 64},
    {DataType::bfloat16, "BFLOAT16", 16},
    {DataType::int8, "INT8", 8},
    {DataType::int16, "INT16", 16},
    {DataType::int32, "INT32", 32},
    {DataType::int64, "INT64", 64},
    {DataType::int4, "INT4", 4},
    {DataType::uint8, "UINT8", 8},
    {DataType::uint16, "UINT16", 16},
    {DataType::uint32, "UINT32", 32},
    {DataType::uint64, "UINT64", 64},
    {DataType::uint4, "UINT4", 4},
    {DataType::uint2, "UINT2", 2},
    {DataType::uint1, "UINT1", 1},
    {DataType::uint6, "UINT6", 6},
    {DataType::uint3, "UINT3", 3},
    {DataType::float8_e4m3fn, "FLOAT8E4M3FN", 8},
    {DataType::float8_e5m2, "FLOAT8E5M2", 8},
};

const DataTypeRow* row_of(DataType dtype) {
  for (const DataTypeRow& row : kDataTypes) {
    if (row.dtype == dtype) return &row;
  }
  return nullptr;
}

bool equal_bytes(const Bytes& a, const Bytes& b) {
  return a.size() == b.size() && (a.size() == 0 || std::memcmp(a.data(), b.data(), a.size()) == 0);
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

std::optional<std::uint64_t> packed_size(DataType dtype, std::uint64_t elements) {
  const std::uint64_t bits = bits_of(dtype);
  if (bits == 0) return 0;
  if (bits >= 8) {
    const std::uint64_t bytes = bits / 8;
    if (elements > UINT64_MAX / bytes) return std::nullopt;
    return elements * bytes;
  }
  if (elements > (UINT64_MAX - 7) / bits) return std::nullopt;
  return (elements * bits + 7) / 8;
}

bool TensorType::operator==(const TensorType& other) const {
  return dtype == other.dtype && dims == other.dims && unknown_rank == other.unknown_rank &&
         attributes == other.attributes;
}

bool ValueType::operator==(const ValueType& other) const {
  return kind == other.kind && tensor == other.tensor && parts == other.parts && length == other.length;
}

bool NamedValueType::operator==(const NamedValueType& other) const { return name == other.name && type == other.type; }

bool Value::operator==(const Value& other) const {
  return doc == other.doc && type == other.type && kind == other.kind && equal_bytes(data, other.data) &&
         strings == other.strings && items == other.items && blob == other.blob;
}

bool Binding::operator==(const Binding& other) const { return name == other.name && value == other.value; }

bool Operation::operator==(const Operation& other) const {
  return type == other.type && inputs == other.inputs && outputs == other.outputs && blocks == other.blocks &&
         attributes == other.attributes;
}

bool Block::operator==(const Block& other) const {
  return inputs == other.inputs && outputs == other.outputs && operations == other.operations &&
         attributes == other.attributes;
}

bool Function::operator==(const Function& other) const {
  return inputs == other.inputs && opset == other.opset && block_specializations == other.block_specializations &&
         attributes == other.attributes;
}

bool Program::operator==(const Program& other) const {
  return version == other.version && functions == other.functions && doc == other.doc && attributes == other.attributes;
}

}  // namespace anemone::formats::milspec
