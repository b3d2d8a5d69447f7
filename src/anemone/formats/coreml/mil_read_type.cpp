// Types of ML Programs: protobuf -> structs, and where literals of each element type are stored.
#include <fmt/format.h>

#include "anemone/formats/coreml/spec_wire.h"

namespace anemone::milspec::wire {

using protobuf::bytes_field;
using protobuf::Message;
using protobuf::varint_field;

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
  bool present = false;
  Dimension dimension;
  while (message.next()) {
    switch (message.field()) {
      case bytes_field(1):
        present = true;
        dimension = {0, false};
        message.get_message([&](Message& m) {
          while (m.next()) {
            if (m.field() == varint_field(1)) {
              dimension.size = m.get_uint64();
            } else {
              m.skip();
            }
          }
        });
        break;
      case bytes_field(2):
        present = true;
        dimension = {std::nullopt, false};
        message.get_message([&](Message& m) {
          while (m.next()) {
            if (m.field() == varint_field(1)) {
              dimension.variadic = m.get_bool();
            } else {
              m.skip();
            }
          }
        });
        break;
      default:
        message.skip();
    }
  }
  if (!present) inconsistent("a dimension is neither constant nor unknown");
  return dimension;
}

TensorType read_tensor_type(Message& message) {
  TensorType type;
  std::int64_t rank = 0;
  while (message.next()) {
    switch (message.field()) {
      case varint_field(1):
        type.dtype = checked_data_type(message.get_int32());
        break;
      case varint_field(2):
        rank = message.get_int64();
        break;
      case bytes_field(3):
        type.dims.push_back(message.get_message(read_dimension));
        break;
      case bytes_field(4):
        read_entry(message, type.attributes, read_value);
        break;
      default:
        message.skip();
    }
  }
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
  while (message.next()) {
    const std::uint32_t field = message.field();
    if (field == bytes_field(1)) {
      if (kind != ValueType::Kind::tuple) type.parts.clear();
      type.parts.push_back(message.get_message(read_value_type));
    } else if (field == bytes_field(2) && kind == ValueType::Kind::list) {
      length = message.get_message(read_dimension);
    } else if (field == bytes_field(2) && kind == ValueType::Kind::dictionary) {
      second = message.get_message(read_value_type);
    } else {
      message.skip();
    }
  }
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
  while (message.next()) {
    switch (message.field()) {
      case bytes_field(1):
        type.emplace();
        type->tensor = message.get_message(read_tensor_type);
        break;
      case bytes_field(2):
      case bytes_field(3):
      case bytes_field(4):
      case bytes_field(5): {
        constexpr ValueType::Kind kKinds[] = {ValueType::Kind::list, ValueType::Kind::tuple,
                                              ValueType::Kind::dictionary, ValueType::Kind::state};
        const ValueType::Kind kind = kKinds[(message.field() >> 3) - 2];
        type = message.get_message([&](Message& m) { return read_composite(m, kind); });
        break;
      }
      default:
        message.skip();
    }
  }
  if (!type) inconsistent("a value has no type");
  return *std::move(type);
}

NamedValueType read_named_type(Message& message) {
  NamedValueType named;
  std::optional<ValueType> type;
  while (message.next()) {
    switch (message.field()) {
      case bytes_field(1):
        named.name = message.get_text();
        break;
      case bytes_field(2):
        type = message.get_message(read_value_type);
        break;
      default:
        message.skip();
    }
  }
  if (!type) inconsistent(fmt::format("the value '{}' has no type", named.name));
  named.type = *std::move(type);
  return named;
}

}  // namespace anemone::milspec::wire
