// ML Programs: structs -> protobuf, canonically (ascending fields, sorted keys, defaults left out, numbers packed).
#include <fmt/format.h>

#include <cstring>
#include <span>

#include "anemone/formats/coreml/spec_wire.h"

namespace anemone::formats::milspec::wire {

namespace {

using Writer = protozero::pbf_writer;

[[noreturn]] void bug(const std::string& message) { throw protobuf::ParseError(ErrorCode::own_bug, message); }

void write_value(Writer& writer, Output& out, const Value& value);
void write_value_type(Writer& writer, Output& out, const ValueType& type);
void write_block(Writer& writer, Output& out, const Block& block);

void add_attributes(Writer& writer, Output& out, std::uint32_t number, const Map<Value>& attributes) {
  add_map(writer, out, number, attributes, [&](Writer& w, const Value& value) { write_value(w, out, value); });
}

void write_dimension(Writer& writer, Output& out, const Dimension& dimension) {
  if (dimension.size) {
    nested(writer, out, 1, [&](Writer& w) {
      if (*dimension.size != 0) w.add_uint64(1, *dimension.size);
    });
  } else {
    nested(writer, out, 2, [&](Writer& w) {
      if (dimension.variadic) w.add_bool(1, true);
    });
  }
}

void write_tensor_type(Writer& writer, Output& out, const TensorType& type) {
  if (type.dtype != DataType::unused) writer.add_enum(1, static_cast<std::int32_t>(type.dtype));
  const std::int64_t rank = type.unknown_rank ? -1 : static_cast<std::int64_t>(type.dims.size());
  if (rank != 0) writer.add_int64(2, rank);
  for (const Dimension& dimension : type.dims) {
    nested(writer, out, 3, [&](Writer& w) { write_dimension(w, out, dimension); });
  }
  add_attributes(writer, out, 4, type.attributes);
}

void write_value_type(Writer& writer, Output& out, const ValueType& type) {
  const auto part = [&](Writer& w, std::uint32_t number, std::size_t index) {
    if (index >= type.parts.size()) bug("a list, dictionary or state type lacks its parts");
    nested(w, out, number, [&](Writer& v) { write_value_type(v, out, type.parts[index]); });
  };
  switch (type.kind) {
    case ValueType::Kind::tensor:
      return nested(writer, out, 1, [&](Writer& w) { write_tensor_type(w, out, type.tensor); });
    case ValueType::Kind::list:
      return nested(writer, out, 2, [&](Writer& w) {
        part(w, 1, 0);
        nested(w, out, 2, [&](Writer& d) { write_dimension(d, out, type.length); });
      });
    case ValueType::Kind::tuple:
      return nested(writer, out, 3, [&](Writer& w) {
        for (std::size_t i = 0; i < type.parts.size(); ++i) part(w, 1, i);
      });
    case ValueType::Kind::dictionary:
      return nested(writer, out, 4, [&](Writer& w) {
        part(w, 1, 0);
        part(w, 2, 1);
      });
    case ValueType::Kind::state:
      return nested(writer, out, 5, [&](Writer& w) { part(w, 1, 0); });
  }
}

void write_named_type(Writer& writer, Output& out, const NamedValueType& named) {
  add_text(writer, 1, named.name);
  nested(writer, out, 2, [&](Writer& w) { write_value_type(w, out, named.type); });
}

/// Elements are copied out one by one: views into a file have no alignment.
template <class T, class Function>
void for_each_element(const Bytes& data, Function&& function) {
  for (std::size_t at = 0; at < data.size(); at += sizeof(T)) {
    T element;
    std::memcpy(&element, data.data() + at, sizeof(T));
    function(element);
  }
}

/// Packed varints. protozero's own packing wants iterators over aligned elements.
template <class T>
void add_packed(Writer& writer, const Bytes& data) {
  if (data.size() == 0) return;
  std::string packed;
  packed.reserve(data.size());
  // Negative numbers are sign-extended to 64 bits, as int32 and int64 fields want it.
  for_each_element<T>(data, [&](T element) {
    protozero::add_varint_to_buffer(&packed, static_cast<std::uint64_t>(static_cast<std::int64_t>(element)));
  });
  writer.add_bytes(1, packed);
}

void write_tensor(Writer& writer, Output& out, const Value& value) {
  const DataType dtype = value.type.tensor.dtype;
  const TensorMember member = member_of(dtype);
  const std::optional<std::uint64_t> count = element_count(value.type.tensor);
  if (member == TensorMember::none || !count) bug("a literal has no element type or no known shape");
  const std::optional<std::uint64_t> size = packed_size(dtype, *count);
  const bool fits =
      member == TensorMember::strings ? value.strings.size() == *count : size && value.data.size() == *size;
  if (!fits) {
    bug(fmt::format("a literal of {} {} elements holds {} bytes and {} strings", *count, milspec::name_of(dtype),
                    value.data.size(), value.strings.size()));
  }
  if (value.data.size() > kMaxBytes - std::min<std::uint64_t>(kMaxBytes, out.bytes.size())) bug(kTooLarge);
  nested(writer, out, static_cast<std::uint32_t>(member), [&](Writer& w) {
    const auto* raw = reinterpret_cast<const char*>(value.data.data());
    switch (member) {
      case TensorMember::strings:
        for (const std::string& text : value.strings) w.add_string(1, text);
        break;
      case TensorMember::ints:
        if (dtype == DataType::int32) return add_packed<std::int32_t>(w, value.data);
        if (dtype == DataType::int16) return add_packed<std::int16_t>(w, value.data);
        return add_packed<std::uint16_t>(w, value.data);
      case TensorMember::longs:
        return add_packed<std::int64_t>(w, value.data);
      case TensorMember::bools:
        for (const std::byte element : value.data.view) {
          if (element > std::byte{1}) bug("a boolean is neither 0 nor 1");
        }
        [[fallthrough]];
      default:  // floats, doubles, bools and bytes are in the file as they are in memory
        if (value.data.size() != 0) w.add_bytes(1, raw, value.data.size());
    }
  });
}

void write_immediate(Writer& writer, Output& out, const Value& value) {
  switch (value.kind) {
    case Value::Kind::tensor:
      return nested(writer, out, 1, [&](Writer& w) { write_tensor(w, out, value); });
    case Value::Kind::tuple:
    case Value::Kind::list:
      return nested(writer, out, value.kind == Value::Kind::tuple ? 2 : 3, [&](Writer& w) {
        for (const Value& item : value.items) nested(w, out, 1, [&](Writer& v) { write_value(v, out, item); });
      });
    case Value::Kind::dictionary:
      return nested(writer, out, 4, [&](Writer& w) {
        if (value.items.size() % 2 != 0) bug("a dictionary literal has a key without a value");
        for (std::size_t i = 0; i < value.items.size(); i += 2) {
          nested(w, out, 1, [&](Writer& pair) {
            nested(pair, out, 1, [&](Writer& v) { write_value(v, out, value.items[i]); });
            nested(pair, out, 2, [&](Writer& v) { write_value(v, out, value.items[i + 1]); });
          });
        }
      });
    case Value::Kind::blob:
      break;
  }
}

void write_value(Writer& writer, Output& out, const Value& value) {
  add_text(writer, 1, value.doc);
  nested(writer, out, 2, [&](Writer& w) { write_value_type(w, out, value.type); });
  if (value.kind != Value::Kind::blob) {
    return nested(writer, out, 3, [&](Writer& w) { write_immediate(w, out, value); });
  }
  nested(writer, out, 5, [&](Writer& w) {
    add_text(w, 1, value.blob.file_name);
    if (value.blob.offset != 0) w.add_uint64(2, value.blob.offset);
  });
}

void write_argument(Writer& writer, Output& out, const std::vector<Binding>& bindings) {
  for (const Binding& binding : bindings) {
    nested(writer, out, 1, [&](Writer& w) {
      if (binding.value) {
        nested(w, out, 2, [&](Writer& v) { write_value(v, out, *binding.value); });
      } else {
        w.add_string(1, binding.name);
      }
    });
  }
}

void write_operation(Writer& writer, Output& out, const Operation& operation) {
  add_text(writer, 1, operation.type);
  add_map(writer, out, 2, operation.inputs,
          [&](Writer& w, const std::vector<Binding>& bindings) { write_argument(w, out, bindings); });
  for (const NamedValueType& output : operation.outputs) {
    nested(writer, out, 3, [&](Writer& w) { write_named_type(w, out, output); });
  }
  for (const Block& block : operation.blocks) {
    nested(writer, out, 4, [&](Writer& w) { write_block(w, out, block); });
  }
  add_attributes(writer, out, 5, operation.attributes);
}

void write_block(Writer& writer, Output& out, const Block& block) {
  for (const NamedValueType& input : block.inputs) {
    nested(writer, out, 1, [&](Writer& w) { write_named_type(w, out, input); });
  }
  for (const std::string& output : block.outputs) writer.add_string(2, output);
  for (const Operation& operation : block.operations) {
    nested(writer, out, 3, [&](Writer& w) { write_operation(w, out, operation); });
  }
  add_attributes(writer, out, 4, block.attributes);
}

void write_function(Writer& writer, Output& out, const Function& function) {
  for (const NamedValueType& input : function.inputs) {
    nested(writer, out, 1, [&](Writer& w) { write_named_type(w, out, input); });
  }
  add_text(writer, 2, function.opset);
  add_map(writer, out, 3, function.block_specializations,
          [&](Writer& w, const Block& block) { write_block(w, out, block); });
  add_attributes(writer, out, 4, function.attributes);
}

}  // namespace

void write_program(protozero::pbf_writer& writer, Output& out, const Program& program) {
  if (program.version != 0) writer.add_int64(1, program.version);
  add_map(writer, out, 2, program.functions,
          [&](Writer& w, const Function& function) { write_function(w, out, function); });
  add_text(writer, 3, program.doc);
  add_attributes(writer, out, 4, program.attributes);
}

}  // namespace anemone::formats::milspec::wire
