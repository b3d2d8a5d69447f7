// TensorProto -> Tensor: whichever field holds the numbers, one form comes out, checked against the type.
#include <fmt/format.h>

#include <bit>
#include <limits>

#include "anemone/formats/onnx/spec_wire.h"
#include "anemone/formats/wire/elements.h"
#include "anemone/support/utf8.h"

namespace anemone::formats::onnxspec::wire {

using protobuf::bytes_field;
using protobuf::Elements;
using protobuf::field;
using protobuf::Message;
using protobuf::tagged;

static_assert(std::endian::native == std::endian::little, "tensors are viewed as the file's little-endian bytes");

namespace {

/// The numeric fields of TensorProto by number.
enum class Storage : std::uint32_t {
  none = 0,
  floats = 4,
  int32s = 5,
  strings = 6,
  int64s = 7,
  raw = 9,
  doubles = 10,
  uint64s = 11
};

std::string_view name_of(Storage storage) {
  switch (storage) {
    case Storage::floats:
      return "float_data";
    case Storage::int32s:
      return "int32_data";
    case Storage::strings:
      return "string_data";
    case Storage::int64s:
      return "int64_data";
    case Storage::raw:
      return "raw_data";
    case Storage::doubles:
      return "double_data";
    case Storage::uint64s:
      return "uint64_data";
    default:
      return "no field";
  }
}

/// Where the schema wants numbers of this type, when they are not raw.
Storage storage_of(DataType dtype) {
  switch (dtype) {
    case DataType::float32:
    case DataType::complex64:
      return Storage::floats;
    case DataType::float64:
    case DataType::complex128:
      return Storage::doubles;
    case DataType::int64:
      return Storage::int64s;
    case DataType::uint32:
    case DataType::uint64:
      return Storage::uint64s;
    case DataType::string:
      return Storage::strings;
    default:
      return Storage::int32s;
  }
}

/// A number of int32_data or uint64_data in the width of the type. Values that do not fit are cut, as every reader does
/// that stores them by a cast.
void add_number(Elements& elements, unsigned bits, std::uint64_t raw) {
  switch (bits) {
    case 64:
      return elements.add(raw);
    case 32:
      return elements.add(static_cast<std::uint32_t>(raw));
    case 16:
      return elements.add(static_cast<std::uint16_t>(raw));
    default:  // 8; narrower ones come as whole bytes
      return elements.add(static_cast<std::uint8_t>(raw));
  }
}

void set_external(Tensor& tensor, const Property& entry) {
  const auto number = [&]() {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(entry.value.data(), entry.value.data() + entry.value.size(), value);
    if (error != std::errc{} || end != entry.value.data() + entry.value.size() || value < 0) {
      inconsistent(
          fmt::format("the {} '{}' of external data is not a number of bytes", entry.key, printable(entry.value)));
    }
    return value;
  };
  if (!tensor.external) tensor.external.emplace();
  if (entry.key == "location") tensor.external->location = entry.value;
  if (entry.key == "offset") tensor.external->offset = number();
  if (entry.key == "length") tensor.external->length = number();
}

void check_size(const Tensor& tensor, Storage storage) {
  const auto of = [&] {
    return fmt::format("tensor '{}' of {}", printable(tensor.name), onnxspec::name_of(tensor.dtype));
  };
  if (tensor.dtype == DataType::undefined)
    inconsistent(fmt::format("tensor '{}' has no element type", printable(tensor.name)));
  const std::optional<std::int64_t> count = element_count(tensor.dims);
  if (!count) inconsistent(fmt::format("{} has extents that are negative or too large", of()));
  if (tensor.dtype == DataType::string) {
    if (tensor.strings.size() != static_cast<std::uint64_t>(*count))
      inconsistent(fmt::format("{} has {} elements and holds {} strings", of(), *count, tensor.strings.size()));
    return;
  }
  const std::optional<std::int64_t> size = packed_size(tensor.dtype, *count);
  if (!size) inconsistent(fmt::format("{} is too large", of()));
  if (tensor.data.size() != static_cast<std::uint64_t>(*size)) {
    inconsistent(fmt::format("{} has {} elements, which take {} bytes, and {} holds {}", of(), *count, *size,
                             name_of(storage), tensor.data.size()));
  }
}

}  // namespace

DataType checked_data_type(std::int32_t number) {
  const auto dtype = static_cast<DataType>(number);
  if (onnxspec::name_of(dtype) == "?") {
    throw protobuf::ParseError(ErrorCode::onnx_unknown_type,
                               fmt::format("element type number {} is not one of ONNX", number),
                               "the file is damaged, or of a newer ONNX than this version knows");
  }
  return dtype;
}

Tensor read_tensor(Message& message) {
  Tensor tensor;
  std::int32_t dtype = 0, location = 0;
  Storage stored = Storage::none;
  Bytes raw, packed;
  std::vector<std::uint64_t> numbers;  // of int32_data, int64_data, uint64_data, until the type is known
  Elements floats;
  bool segmented = false;
  // The last field that holds something counts; a message may carry empty ones of others.
  const auto hold = [&](Storage storage) {
    if (stored != Storage::none && stored != storage)
      inconsistent(
          fmt::format("tensor '{}' has both {} and {}", printable(tensor.name), name_of(stored), name_of(storage)));
    stored = storage;
  };
  const auto numbers_field = [&](Storage storage) {
    return [&, storage](Message& m) {
      if (!field(static_cast<std::uint32_t>(storage), numbers)(m)) return false;
      if (!numbers.empty()) hold(storage);
      return true;
    };
  };
  const auto floats_field = [&](Storage storage, std::size_t size) {
    return [&, storage, size](Message& m) {
      const auto number = static_cast<std::uint32_t>(storage);
      if (m.field() == bytes_field(number)) {
        const Bytes view = m.get_bytes();
        if (view.size() % size != 0) inconsistent("packed numbers end inside one");
        if (view.size() == 0) return true;
        floats.add_view(view);
      } else if (size == 4 && m.field() == protobuf::fixed32_field(number)) {
        floats.add(m.get_float());
      } else if (size == 8 && m.field() == protobuf::fixed64_field(number)) {
        floats.add(m.get_double());
      } else {
        return false;
      }
      hold(storage);
      return true;
    };
  };
  const auto add_string = [&](Message& m) {
    const auto view = m.get_view();
    tensor.strings.emplace_back(reinterpret_cast<const char*>(view.data()), view.size());
    hold(Storage::strings);
  };
  const auto set_raw = [&](Message& m) {
    raw = m.get_bytes();
    if (raw.size() > 0) hold(Storage::raw);
  };
  const auto add_external = [&](Message& m) { set_external(tensor, read_property(m)); };
  const auto set_segmented = [&](Message& m) {
    segmented = true;
    m.skip();
  };
  read(message, field(1, tensor.dims), field(2, dtype), tagged(bytes_field(3), set_segmented),
       floats_field(Storage::floats, 4), numbers_field(Storage::int32s), tagged(bytes_field(6), add_string),
       numbers_field(Storage::int64s), field(8, tensor.name), tagged(bytes_field(9), set_raw),
       floats_field(Storage::doubles, 8), numbers_field(Storage::uint64s), field(12, tensor.doc),
       protobuf::message_field(13, add_external), field(14, location), field(16, tensor.metadata, read_property));
  tensor.dtype = checked_data_type(dtype);
  if (segmented)
    inconsistent(
        fmt::format("tensor '{}' is stored in segments, which no ONNX release defined", printable(tensor.name)));
  constexpr std::int32_t kExternal = 1;
  if (location != kExternal) {
    tensor.external.reset();
  } else {
    if (!tensor.external || tensor.external->location.empty())
      inconsistent(
          fmt::format("tensor '{}' lies in another file, and its location is missing", printable(tensor.name)));
    if (stored != Storage::none)
      inconsistent(fmt::format("tensor '{}' lies in another file and in this one", printable(tensor.name)));
    if (!element_count(tensor.dims) || !packed_size(tensor.dtype, *element_count(tensor.dims)))
      inconsistent(fmt::format("tensor '{}' in another file has no size", printable(tensor.name)));
    return tensor;
  }
  if (stored != Storage::none && stored != Storage::raw && stored != storage_of(tensor.dtype)) {
    inconsistent(fmt::format("tensor '{}' of {} is stored in {}", printable(tensor.name),
                             onnxspec::name_of(tensor.dtype), name_of(stored)));
  }
  if (stored == Storage::raw) {
    tensor.data = std::move(raw);
  } else if (!numbers.empty()) {
    Elements elements;
    for (const std::uint64_t number : numbers) add_number(elements, bits_of(tensor.dtype), number);
    tensor.data = elements.take();
  } else {
    tensor.data = floats.take();
  }
  check_size(tensor, stored);
  return tensor;
}

SparseTensor read_sparse_tensor(Message& message) {
  std::optional<Tensor> values, indices;
  SparseTensor sparse;
  read(message, field(1, values, read_tensor), field(2, indices, read_tensor), field(3, sparse.dims));
  if (!values || !indices) inconsistent("a sparse tensor lacks its values or their indices");
  sparse.values = *std::move(values);
  sparse.indices = *std::move(indices);
  return sparse;
}

}  // namespace anemone::formats::onnxspec::wire
