// Arrays of the graph as .npy files.
#include "anemone/toolchain/arrays.h"

#include <fmt/format.h>

#include "anemone/formats/wire/npy.h"

namespace anemone::toolchain {
namespace {

using formats::ScalarType;

std::optional<DType> dtype_of(ScalarType type) {
  switch (type) {
    case ScalarType::boolean:
      return DType::boolean;
    case ScalarType::uint8:
      return DType::uint8;
    case ScalarType::uint16:
      return DType::uint16;
    case ScalarType::uint32:
      return DType::uint32;
    case ScalarType::uint64:
      return DType::uint64;
    case ScalarType::int8:
      return DType::int8;
    case ScalarType::int16:
      return DType::int16;
    case ScalarType::int32:
      return DType::int32;
    case ScalarType::int64:
      return DType::int64;
    case ScalarType::float16:
      return DType::fp16;
    case ScalarType::float32:
      return DType::fp32;
    case ScalarType::float64:
      return DType::fp64;
    default:
      return std::nullopt;
  }
}

std::optional<ScalarType> scalar_of(DType dtype) {
  for (int i = 0; i < formats::kScalarTypeCount; ++i) {
    const auto type = static_cast<ScalarType>(i);
    if (dtype_of(type) == dtype) return type;
  }
  return std::nullopt;
}

}  // namespace

Result<Array> read_array(const std::filesystem::path& npy) {
  TRY(formats::NpyArray file, formats::read_npy(npy));
  const auto dtype = dtype_of(file.dtype);
  if (!dtype)
    return bad_input(ErrorCode::array_type_not_read,
                     fmt::format("numbers of type {} cannot be an input", name(file.dtype)), npy.string());
  // The bytes are a view of the file, which keeps no alignment.
  return to_array(*make_constant(Type::tensor(*dtype, file.shape), Bytes::copy_of(file.bytes.view)));
}

std::string file_name(const std::string& value, std::set<std::string>& taken) {
  std::string base;
  for (char c : value) base += c == '/' || c == '\\' || c == '\0' ? '_' : c;
  std::string name = base + ".npy";
  for (int i = 1; !taken.insert(name).second; ++i) name = fmt::format("{}-{}.npy", base, i);
  return name;
}

Result<void> write_array(const std::filesystem::path& npy, const Array& array) {
  const auto type = scalar_of(array.dtype);
  if (!type)
    return bad_input(ErrorCode::array_type_not_written,
                     fmt::format("an output of type {} has no form in a .npy file", name(array.dtype)), npy.string());
  return formats::write_npy(npy, {*type, array.dims, to_constant(array)->data});
}

}  // namespace anemone::toolchain
