// Tensors of the file as constants of the program.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>

#include "anemone/frontends/onnx/lowering.h"

namespace anemone::onnx {
namespace {

template <class T>
T load(const Bytes& bytes, std::size_t index) {
  T value;
  std::memcpy(&value, bytes.data() + index * sizeof(T), sizeof(T));
  return value;
}

// Indices such as 2⁶³ − 1, "to the end", keep their meaning.
template <class T>
ConstantPtr nearest_int32(const Bytes& bytes, Dims dims, std::size_t count) {
  std::vector<std::int32_t> out(count);
  constexpr auto kLeast = std::numeric_limits<std::int32_t>::min(), kMost = std::numeric_limits<std::int32_t>::max();
  for (std::size_t i = 0; i < count; ++i) {
    const T value = load<T>(bytes, i);
    out[i] = std::cmp_less(value, kLeast)     ? kLeast
             : std::cmp_greater(value, kMost) ? kMost
                                              : static_cast<std::int32_t>(value);
  }
  return make_constant(anemone::Type::tensor(DType::int32, std::move(dims)),
                       Bytes::copy_of(std::span<const std::int32_t>(out)));
}

ConstantPtr float_from_bfloat16(const Bytes& bytes, Dims dims, std::size_t count) {
  std::vector<float> out(count);
  for (std::size_t i = 0; i < count; ++i)
    out[i] = std::bit_cast<float>(std::uint32_t{load<std::uint16_t>(bytes, i)} << 16);
  return make_constant(DType::fp32, std::move(dims), std::span<const float>(out));
}

ConstantPtr float_from_double(const Bytes& bytes, Dims dims, std::size_t count) {
  std::vector<float> out(count);
  for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<float>(load<double>(bytes, i));
  return make_constant(DType::fp32, std::move(dims), std::span<const float>(out));
}

ConstantPtr from_int4(const Bytes& bytes, Dims dims, std::size_t count, bool is_signed) {
  std::vector<double> out(count);
  for (std::size_t i = 0; i < count; ++i) {
    const int code = (std::to_integer<int>(bytes.view[i / 2]) >> (i % 2 * 4)) & 15;
    out[i] = is_signed && code >= 8 ? code - 16 : code;
  }
  return make_constant(is_signed ? DType::int8 : DType::uint8, std::move(dims), std::span<const double>(out));
}

// The numbers of 8 bits: sign, exponent, mantissa. "fn": no infinities, NaN is all ones; "fnuz": no negative zero
// either, NaN is its code. OCP 8-bit floating point specification, and ONNX's page on float8.
struct Float8 {
  int mantissa_bits, bias;
  bool finite, no_negative_zero;
};
std::optional<Float8> float8_of(DataType dtype) {
  switch (dtype) {
    case DataType::float8_e4m3fn:
      return Float8{3, 7, true, false};
    case DataType::float8_e4m3fnuz:
      return Float8{3, 8, true, true};
    case DataType::float8_e5m2:
      return Float8{2, 15, false, false};
    case DataType::float8_e5m2fnuz:
      return Float8{2, 16, true, true};
    default:
      return std::nullopt;
  }
}
float value_of(const Float8& form, unsigned code) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  const float sign = (code & 0x80u) != 0 ? -1.0f : 1.0f;
  const unsigned magnitude = code & 0x7fu, most = 0x7fu >> form.mantissa_bits;
  if (form.no_negative_zero && code == 0x80u) return kNan;
  if (form.finite && !form.no_negative_zero && magnitude == 0x7fu) return kNan;
  const unsigned exponent = magnitude >> form.mantissa_bits, mantissa = magnitude & ((1u << form.mantissa_bits) - 1);
  if (!form.finite && exponent == most) return mantissa == 0 ? sign * std::numeric_limits<float>::infinity() : kNan;
  const unsigned whole = exponent == 0 ? mantissa : mantissa + (1u << form.mantissa_bits);
  return sign * std::ldexp(static_cast<float>(whole),
                           static_cast<int>(std::max(exponent, 1u)) - form.bias - form.mantissa_bits);
}

ConstantPtr float_from_float8(const Bytes& bytes, Dims dims, std::size_t count, const Float8& form) {
  std::vector<float> out(count);
  for (std::size_t i = 0; i < count; ++i) out[i] = value_of(form, load<std::uint8_t>(bytes, i));
  return make_constant(DType::fp32, std::move(dims), std::span<const float>(out));
}

// The same bytes, where they lie as the executor wants them; else a copy.
ConstantPtr view(DType dtype, Dims dims, Bytes bytes) {
  const auto width = static_cast<std::size_t>(bits(dtype)) / 8;
  if (reinterpret_cast<std::uintptr_t>(bytes.data()) % width != 0) bytes = Bytes::copy_of(bytes.view);
  return make_constant(anemone::Type::tensor(dtype, std::move(dims)), std::move(bytes));
}

}  // namespace

DType mil_dtype(DataType dtype) {
  if (is_integer_type(dtype)) return DType::int32;
  switch (dtype) {
    case DataType::float32:
    case DataType::float64:
    case DataType::bfloat16:
      return DType::fp32;
    case DataType::float16:
      return DType::fp16;
    case DataType::boolean:
      return DType::boolean;
    default:
      throw Refused{fmt::format("MIL has no numbers of type {}", onnxspec::name_of(dtype)), {}};
  }
}

bool is_integer_type(DataType dtype) {
  switch (dtype) {
    case DataType::int4:
    case DataType::uint4:
    case DataType::int8:
    case DataType::uint8:
    case DataType::int16:
    case DataType::uint16:
    case DataType::int32:
    case DataType::uint32:
    case DataType::int64:
    case DataType::uint64:
      return true;
    default:
      return false;
  }
}

ConstantPtr to_mil(const Tensor& tensor, const std::filesystem::path& folder) {
  Bytes bytes = tensor.data;
  if (tensor.external) {
    Result<Bytes> read = onnxspec::read_external(tensor, folder);
    if (!read) throw read.error();
    bytes = *std::move(read);
  }
  Dims dims = tensor.dims;
  const auto count = static_cast<std::size_t>(onnxspec::element_count(tensor.dims).value_or(0));
  switch (tensor.dtype) {
    case DataType::float32:
      return view(DType::fp32, std::move(dims), std::move(bytes));
    case DataType::float16:
      return view(DType::fp16, std::move(dims), std::move(bytes));
    case DataType::int32:
      return view(DType::int32, std::move(dims), std::move(bytes));
    case DataType::boolean:
      return view(DType::boolean, std::move(dims), std::move(bytes));
    case DataType::int8:
      return view(DType::int8, std::move(dims), std::move(bytes));
    case DataType::uint8:
      return view(DType::uint8, std::move(dims), std::move(bytes));
    case DataType::float64:
      return float_from_double(bytes, std::move(dims), count);
    case DataType::bfloat16:
      return float_from_bfloat16(bytes, std::move(dims), count);
    case DataType::int64:
      return nearest_int32<std::int64_t>(bytes, std::move(dims), count);
    case DataType::uint64:
      return nearest_int32<std::uint64_t>(bytes, std::move(dims), count);
    case DataType::uint32:
      return nearest_int32<std::uint32_t>(bytes, std::move(dims), count);
    case DataType::int16:
      return nearest_int32<std::int16_t>(bytes, std::move(dims), count);
    case DataType::uint16:
      return nearest_int32<std::uint16_t>(bytes, std::move(dims), count);
    case DataType::int4:
      return from_int4(bytes, std::move(dims), count, true);
    case DataType::uint4:
      return from_int4(bytes, std::move(dims), count, false);
    default:
      if (const auto form = float8_of(tensor.dtype)) return float_from_float8(bytes, std::move(dims), count, *form);
      mil_dtype(tensor.dtype);
      throw Refused{fmt::format("constants of type {} are not read", onnxspec::name_of(tensor.dtype)), {}};
  }
}

MilValue* wrap(Emit& emit, MilValue* value, DataType dtype) {
  const auto wrapped = [&](double modulus, double shift) {
    MilValue* shifted = emit.add2(value, shift);
    return emit.add2(emit.add("mod", {{"x", shifted}, {"y", emit.number(value, modulus)}}), -shift);
  };
  switch (dtype) {
    case DataType::uint8:
      return wrapped(256, 0);
    case DataType::int8:
      return wrapped(256, 128);
    case DataType::uint16:
      return wrapped(65536, 0);
    case DataType::int16:
      return wrapped(65536, 32768);
    default:
      return value;
  }
}

}  // namespace anemone::onnx
