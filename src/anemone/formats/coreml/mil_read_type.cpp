// Types of ML Programs: protobuf -> structs, and where literals of each element type are stored.
#include <fmt/format.h>

#include "anemone/formats/coreml/spec_wire.h"

namespace anemone::formats::milspec::wire {

using protobuf::field;
using protobuf::Message;
using protobuf::message_field;
using protobuf::read;
using protobuf::tagged;

std::string_view name_of(TensorMember member) {
  constexpr std::string_view kNames[] = {"none", "floats", "ints", "bools", "strings", "longInts", "doubles", "bytes"};
  return kNames[static_cast<std::size_t>(member)];
}

TensorMember member_of(DataType dtype) {
  switch (dtype) {
    case DataType::unused:
      return TensorMember::none;
    case DataType::boolean:
      return TensorMember::bools;
    case DataType::string:
      return TensorMember::strings;
    case DataType::float32:
      return TensorMember::floats;
    case DataType::float64:
      return TensorMember::doubles;
    case DataType::int16:
    case DataType::uint16:
    case DataType::int32:
      return TensorMember::ints;
    case DataType::int64:
    case DataType::uint64:
      return TensorMember::longs;
    default:
      return TensorMember::bytes;
  }
}

std::optional<std::uint64_t> element_count(const TensorType& type) {
  if (type.unknown_rank) return std::nullopt;
  std::uint64_t count = 1;
  bool overflow = false, zero = false;
  for (const Dimension& dim : type.dims) {
    if (!dim.size) return std::nullopt;
    zero |= *dim.size == 0;
    if (*dim.size != 0 && count > UINT64_MAX / *dim.size) overflow = true;
    if (!overflow && *dim.size != 0) count *= *dim.size;
  }
  if (zero) return 0;
  if (overflow) return std::nullopt;
  return count;
}

namespace {

DataType checked_data_type(std::int32_t number) {
  const auto dtype = static_cast<DataType>(number);
  if (number < 0 || number > 255 || milspec::name_of(dtype) == "?") {
    inconsistent(fmt::format("unknown element type number {}", number));
  }
  return dtype;
}

Dimension read_dimension(Message& message) {
  std::optional<Dimension> dimension;
  const auto set_constant = [&](Message& m) {
    std::uint64_t size = 0;
    read(m, field(1, size));
    dimension = {size, false};
  };
  const auto set_unknown = [&](Message& m) {
    dimension.emplace();
    read(m, field(1, dimension->variadic));
  };
  read(message, message_field(1, set_constant), message_field(2, set_unknown));
  if (!dimension) inconsistent("a dimension is neither constant nor unknown");
  return *dimension;
}

TensorType read_tensor_type(Message& message) {
  TensorType type;
  std::int64_t rank = 0;
  const auto set_dtype = [&](Message& m) { type.dtype = checked_data_type(m.get_int32()); };
  read(message, tagged(protobuf::varint_field(1), set_dtype), field(2, rank), field(3, type.dims, read_dimension),
       map_field(4, type.attributes, read_value));
  type.unknown_rank = rank == -1;
  if (!type.unknown_rank && (rank < 0 || static_cast<std::uint64_t>(rank) != type.dims.size())) {
    inconsistent(fmt::format("a tensor type states rank {} but has {} dimensions", rank, type.dims.size()));
  }
  sort_map(type.attributes);
  return type;
}

/// List, tuple, dictionary and state types: the first nested type is field 1, a dictionary's value type field 2.
ValueType read_composite(Message& message, ValueType::Kind kind) {
  ValueType type;
  type.kind = kind;
  std::optional<ValueType> second;
  std::optional<Dimension> length;
  const auto add_part = [&](Message& m) {
    if (kind != ValueType::Kind::tuple) type.parts.clear();
    type.parts.push_back(read_value_type(m));
  };
  const auto take_second = [&](Message& m) {
    if (kind == ValueType::Kind::list) {
      length = m.get_message(read_dimension);
    } else if (kind == ValueType::Kind::dictionary) {
      second = m.get_message(read_value_type);
    } else {
      m.skip();
    }
  };
  read(message, message_field(1, add_part), tagged(protobuf::bytes_field(2), take_second));
  if (kind == ValueType::Kind::tuple) return type;
  if (type.parts.empty() || (kind == ValueType::Kind::dictionary && !second)) {
    inconsistent("a type lacks the type it is made of");
  }
  if (second) type.parts.push_back(*std::move(second));
  if (kind == ValueType::Kind::list) {
    if (!length) inconsistent("a list type has no length");
    type.length = *length;
  }
  return type;
}

}  // namespace

ValueType read_value_type(Message& message) {
  std::optional<ValueType> type;
  const auto set_tensor = [&](Message& m) {
    type.emplace();
    type->tensor = read_tensor_type(m);
  };
  const auto composite = [](ValueType::Kind kind) { return [kind](Message& m) { return read_composite(m, kind); }; };
  using Kind = ValueType::Kind;
  read(message, message_field(1, set_tensor), field(2, type, composite(Kind::list)),
       field(3, type, composite(Kind::tuple)), field(4, type, composite(Kind::dictionary)),
       field(5, type, composite(Kind::state)));
  if (!type) inconsistent("a value has no type");
  return *std::move(type);
}

NamedValueType read_named_type(Message& message) {
  NamedValueType named;
  std::optional<ValueType> type;
  read(message, field(1, named.name), field(2, type, read_value_type));
  if (!type) inconsistent(fmt::format("the value '{}' has no type", named.name));
  named.type = *std::move(type);
  return named;
}

}  // namespace anemone::formats::milspec::wire
