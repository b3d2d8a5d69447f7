// Literals and weight references of ML Programs: protobuf -> structs, with element counts checked against types.
#include <fmt/format.h>

#include <bit>
#include <limits>

#include "anemone/formats/coreml/spec_wire.h"

namespace anemone::milspec::wire {

using protobuf::bytes_field;
using protobuf::fixed32_field;
using protobuf::fixed64_field;
using protobuf::Message;
using protobuf::varint_field;

static_assert(std::endian::native == std::endian::little, "literals are viewed as the file's little-endian bytes");

namespace {

/// Element bytes that stay a view while they come in one piece.
class Elements {
 public:
  void add_view(const Bytes& bytes) {
    if (data_.size() == 0 && pieces_.empty()) {
      data_ = bytes;
    } else {
      own();
      pieces_.insert(pieces_.end(), bytes.view.begin(), bytes.view.end());
    }
  }
  template <class T>
  void add(T element) {
    own();
    const auto* bytes = reinterpret_cast<const std::byte*>(&element);
    pieces_.insert(pieces_.end(), bytes, bytes + sizeof element);
  }
  Bytes take() { return pieces_.empty() ? std::move(data_) : Bytes::owned(std::move(pieces_)); }

 private:
  void own() {
    if (data_.size() == 0) return;
    pieces_.assign(data_.view.begin(), data_.view.end());
    data_ = {};
  }
  Bytes data_;
  std::vector<std::byte> pieces_;
};

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
  const bool integers = member == TensorMember::ints || member == TensorMember::longs;
  const auto add_number = [&](std::uint64_t raw) {
    if (member == TensorMember::bools) return elements.add(static_cast<std::uint8_t>(raw != 0));
    add_integer(elements, dtype,
                member == TensorMember::ints ? static_cast<std::int32_t>(raw) : static_cast<std::int64_t>(raw));
  };
  while (message.next()) {
    const std::uint32_t field = message.field();
    if (field == bytes_field(1) && member == TensorMember::strings) {
      value.strings.push_back(message.get_text());
    } else if (field == bytes_field(1) && member == TensorMember::bytes) {
      elements = {};
      elements.add_view(message.get_bytes());
    } else if (field == bytes_field(1) && (integers || member == TensorMember::bools)) {
      message.get_packed(add_number);
    } else if (field == bytes_field(1)) {
      const Bytes packed = message.get_bytes();
      if (packed.size() % (member == TensorMember::floats ? 4 : 8) != 0) inconsistent("packed numbers end inside one");
      elements.add_view(packed);
    } else if (field == varint_field(1) && (integers || member == TensorMember::bools)) {
      add_number(message.get_uint64());
    } else if (field == fixed32_field(1) && member == TensorMember::floats) {
      elements.add(message.get_float());
    } else if (field == fixed64_field(1) && member == TensorMember::doubles) {
      elements.add(message.get_double());
    } else {
      message.skip();
    }
  }
}

void read_tensor(Message& message, Value& value) {
  const DataType dtype = value.type.tensor.dtype;
  const std::string_view dtype_name = milspec::name_of(dtype);
  TensorMember stored = TensorMember::none;
  Elements elements;
  while (message.next()) {
    const std::uint32_t number = message.field() >> 3;
    if (number < 1 || number > 7 || message.field() != bytes_field(number)) {
      message.skip();
      continue;
    }
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
    message.get_message([&](Message& m) { read_tensor_member(m, member, dtype, elements, value); });
  }
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

void read_items(Message& message, Value& value, bool pairs) {
  while (message.next()) {
    if (message.field() != bytes_field(1)) {
      message.skip();
    } else if (!pairs) {
      value.items.push_back(message.get_message(read_value));
    } else {
      message.get_message([&](Message& m) {
        std::optional<Value> key, mapped;
        while (m.next()) {
          switch (m.field()) {
            case bytes_field(1):
              key = m.get_message(read_value);
              break;
            case bytes_field(2):
              mapped = m.get_message(read_value);
              break;
            default:
              m.skip();
          }
        }
        if (!key || !mapped) inconsistent("a dictionary entry lacks its key or its value");
        value.items.push_back(*std::move(key));
        value.items.push_back(*std::move(mapped));
      });
    }
  }
}

void read_immediate(Message& message, Value& value) {
  bool present = false;
  const auto expect = [&](ValueType::Kind type, Value::Kind kind) {
    if (value.type.kind != type) inconsistent("a literal is of another kind than its type");
    present = true;
    value.kind = kind;
  };
  while (message.next()) {
    switch (message.field()) {
      case bytes_field(1):
        expect(ValueType::Kind::tensor, Value::Kind::tensor);
        message.get_message([&](Message& m) { read_tensor(m, value); });
        break;
      case bytes_field(2):
        expect(ValueType::Kind::tuple, Value::Kind::tuple);
        message.get_message([&](Message& m) { read_items(m, value, false); });
        break;
      case bytes_field(3):
        expect(ValueType::Kind::list, Value::Kind::list);
        message.get_message([&](Message& m) { read_items(m, value, false); });
        break;
      case bytes_field(4):
        expect(ValueType::Kind::dictionary, Value::Kind::dictionary);
        message.get_message([&](Message& m) { read_items(m, value, true); });
        break;
      default:
        message.skip();
    }
  }
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
  while (message.next()) {
    switch (message.field()) {
      case bytes_field(1):
        value.doc = message.get_text();
        break;
      case bytes_field(2):
        type = message.get_message(read_value_type);
        break;
      case bytes_field(3):
        immediate = message.get_view();
        has_blob = false;
        break;
      case bytes_field(5):
        immediate.reset();
        has_blob = true;
        message.get_message([&](Message& m) {
          while (m.next()) {
            switch (m.field()) {
              case bytes_field(1):
                value.blob.file_name = m.get_text();
                break;
              case varint_field(2):
                value.blob.offset = m.get_uint64();
                break;
              default:
                m.skip();
            }
          }
        });
        break;
      default:
        message.skip();
    }
  }
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

}  // namespace anemone::milspec::wire
