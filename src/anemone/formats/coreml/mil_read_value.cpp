// Literals and weight references of ML Programs: protobuf -> structs, with element counts checked against types.
#include <fmt/format.h>

#include <bit>
#include <limits>

#include "anemone/formats/coreml/spec_wire.h"
#include "anemone/formats/wire/elements.h"

namespace anemone::formats::milspec::wire {

using protobuf::bytes_field;
using protobuf::Elements;
using protobuf::field;
using protobuf::Message;
using protobuf::message_field;
using protobuf::read;
using protobuf::tagged;

static_assert(std::endian::native == std::endian::little, "literals are viewed as the file's little-endian bytes");

namespace {

/// Stores an integer of `ints` or `longInts` in the element type's own width.
void add_integer(Elements& elements, DataType dtype, std::int64_t number) {
  const auto store = [&]<class T>(T) {
    if constexpr (sizeof(T) < 8) {
      if (number < std::numeric_limits<T>::min() || number > std::numeric_limits<T>::max()) {
        inconsistent(fmt::format("the number {} does not fit {}", number, milspec::name_of(dtype)));
      }
    }
    elements.add(static_cast<T>(number));
  };
  switch (dtype) {
    case DataType::int8:
      return store(std::int8_t{});
    case DataType::uint8:
      return store(std::uint8_t{});
    case DataType::int16:
      return store(std::int16_t{});
    case DataType::uint16:
      return store(std::uint16_t{});
    case DataType::int32:
      return store(std::int32_t{});
    case DataType::uint32:
      return store(std::uint32_t{});
    case DataType::int64:
      return store(std::int64_t{});
    default:
      return store(std::uint64_t{});
  }
}

bool is_integer(DataType dtype) {
  const unsigned number = static_cast<unsigned>(dtype);
  return (number >= 21 && number <= 24) || (number >= 31 && number <= 34);
}

void read_tensor_member(Message& message, TensorMember member, DataType dtype, Elements& elements, Value& value) {
  const auto add_number = [&](std::uint64_t raw) {
    if (member == TensorMember::bools) return elements.add(static_cast<std::uint8_t>(raw != 0));
    add_integer(elements, dtype,
                member == TensorMember::ints ? static_cast<std::int32_t>(raw) : static_cast<std::int64_t>(raw));
  };
  const auto add_packed = [&](Message& m, std::size_t size) {
    const Bytes packed = m.get_bytes();
    if (packed.size() % size != 0) inconsistent("packed numbers end inside one");
    elements.add_view(packed);
  };
  switch (member) {
    case TensorMember::strings:
      return read(message, field(1, value.strings));
    case TensorMember::bytes:
      return read(message, tagged(bytes_field(1), [&](Message& m) {
                    elements = {};
                    elements.add_view(m.get_bytes());
                  }));
    case TensorMember::floats:
      return read(message, tagged(bytes_field(1), [&](Message& m) { add_packed(m, 4); }),
                  tagged(protobuf::fixed32_field(1), [&](Message& m) { elements.add(m.get_float()); }));
    case TensorMember::doubles:
      return read(message, tagged(bytes_field(1), [&](Message& m) { add_packed(m, 8); }),
                  tagged(protobuf::fixed64_field(1), [&](Message& m) { elements.add(m.get_double()); }));
    default:  // ints, longs, bools
      return read(message, tagged(bytes_field(1), [&](Message& m) { m.get_packed(add_number); }),
                  tagged(protobuf::varint_field(1), [&](Message& m) { add_number(m.get_uint64()); }));
  }
}

void read_tensor(Message& message, Value& value) {
  const DataType dtype = value.type.tensor.dtype;
  const std::string_view dtype_name = milspec::name_of(dtype);
  TensorMember stored = TensorMember::none;
  Elements elements;
  const auto take_member = [&](Message& m) {
    const std::uint32_t number = m.field() >> 3;
    if (number < 1 || number > 7 || m.field() != bytes_field(number)) return false;
    const auto member = static_cast<TensorMember>(number);
    const bool widened = is_integer(dtype) && (member == TensorMember::ints || member == TensorMember::longs);
    if (member != member_of(dtype) && !widened) {
      inconsistent(fmt::format("a literal of type {} is stored in '{}'", dtype_name, name_of(member)));
    }
    if (member != stored) {
      elements = {};
      value.strings.clear();
    }
    stored = member;
    m.get_message([&](Message& nested) { read_tensor_member(nested, member, dtype, elements, value); });
    return true;
  };
  read(message, take_member);
  if (stored == TensorMember::none) inconsistent("a tensor literal has no content");
  value.data = elements.take();

  const std::optional<std::uint64_t> count = element_count(value.type.tensor);
  if (!count) inconsistent("the shape of a literal is unknown or too large");
  if (dtype == DataType::string) {
    if (value.strings.size() != *count) {
      inconsistent(fmt::format("a literal of {} strings holds {}", *count, value.strings.size()));
    }
    return;
  }
  const std::optional<std::uint64_t> size = packed_size(dtype, *count);
  if (!size || value.data.size() != *size) {
    inconsistent(fmt::format("a literal of {} {} elements holds {} bytes", *count, dtype_name, value.data.size()));
  }
}

void read_items(Message& message, Value& value) { read(message, field(1, value.items, read_value)); }

void read_pair(Message& message, Value& value) {
  std::optional<Value> key, mapped;
  read(message, field(1, key, read_value), field(2, mapped, read_value));
  if (!key || !mapped) inconsistent("a dictionary entry lacks its key or its value");
  value.items.push_back(*std::move(key));
  value.items.push_back(*std::move(mapped));
}

void read_pairs(Message& message, Value& value) {
  read(message, message_field(1, [&](Message& m) { read_pair(m, value); }));
}

void read_immediate(Message& message, Value& value) {
  bool present = false;
  const auto content = [&](std::uint32_t number, ValueType::Kind type, Value::Kind kind, auto&& take) {
    return message_field(number, [&, type, kind, take](Message& m) {
      if (value.type.kind != type) inconsistent("a literal is of another kind than its type");
      present = true;
      value.kind = kind;
      take(m, value);
    });
  };
  read(message, content(1, ValueType::Kind::tensor, Value::Kind::tensor, read_tensor),
       content(2, ValueType::Kind::tuple, Value::Kind::tuple, read_items),
       content(3, ValueType::Kind::list, Value::Kind::list, read_items),
       content(4, ValueType::Kind::dictionary, Value::Kind::dictionary, read_pairs));
  if (!present) inconsistent("a literal has no content");
  if (value.kind == Value::Kind::tuple && value.items.size() != value.type.parts.size()) {
    inconsistent(fmt::format("a tuple of {} members holds {}", value.type.parts.size(), value.items.size()));
  }
  if (value.kind == Value::Kind::list && value.type.length.size && *value.type.length.size != value.items.size()) {
    inconsistent(fmt::format("a list of {} members holds {}", *value.type.length.size, value.items.size()));
  }
}

}  // namespace

Value read_value(Message& message) {
  Value value;
  std::optional<ValueType> type;
  std::optional<std::span<const std::byte>> immediate;  // read last: how depends on the type
  bool has_blob = false;
  const auto set_immediate = [&](Message& m) {
    immediate = m.get_view();
    has_blob = false;
  };
  const auto set_blob = [&](Message& m) {
    immediate.reset();
    has_blob = true;
    read(m, field(1, value.blob.file_name), field(2, value.blob.offset));
  };
  read(message, field(1, value.doc), field(2, type, read_value_type), tagged(bytes_field(3), set_immediate),
       message_field(5, set_blob));
  if (!type) inconsistent("a value has no type");
  value.type = *std::move(type);
  if (has_blob) {
    value.kind = Value::Kind::blob;
    if (value.type.kind != ValueType::Kind::tensor) inconsistent("something other than a tensor is in a weight file");
  } else if (immediate) {
    Message nested_message(message.document(), *immediate);
    read_immediate(nested_message, value);
  } else {
    inconsistent("a value has no content");
  }
  return value;
}

}  // namespace anemone::formats::milspec::wire
