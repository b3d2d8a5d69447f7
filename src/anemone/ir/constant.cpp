// Packing and unpacking of compile-time values.
#include "anemone/ir/constant.h"

#include <xxhash.h>

#include <bit>
#include <cmath>
#include <cstring>

#include "anemone/support/half.h"

namespace anemone {
namespace {

template <class T>
T load(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

// Element `index` of a little-endian bit stream of `width`-bit unsigned numbers (weight.bin's packing, LSB first).
unsigned packed_bits(std::span<const std::byte> stream, std::size_t index, int width) {
  unsigned value = 0;
  for (int bit = 0; bit < width; ++bit) {
    const std::size_t at = index * static_cast<std::size_t>(width) + static_cast<std::size_t>(bit);
    value |= (static_cast<unsigned>(stream[at / 8] >> (at % 8)) & 1u) << bit;
  }
  return value;
}

double fp8_value(unsigned code, int mantissa_bits) {
  const int exponent_bits = 7 - mantissa_bits, bias = (1 << (exponent_bits - 1)) - 1;
  const int exponent = static_cast<int>(code >> mantissa_bits) & ((1 << exponent_bits) - 1);
  const int mantissa = static_cast<int>(code) & ((1 << mantissa_bits) - 1);
  const double sign = code & 0x80 ? -1 : 1;
  const bool e4m3 = mantissa_bits == 3;
  if (exponent == (1 << exponent_bits) - 1 && (e4m3 ? mantissa == 7 : true)) {
    return e4m3 || mantissa ? std::nan("") : sign * HUGE_VAL;
  }
  return sign * (exponent ? std::ldexp((1 << mantissa_bits) + mantissa, exponent - bias - mantissa_bits)
                          : std::ldexp(mantissa, 1 - bias - mantissa_bits));
}

double element(const Constant& c, std::size_t i) {
  const std::byte* p = c.data.data();
  switch (c.type.dtype) {
    case DType::boolean:
      return p[i] != std::byte{0};
    case DType::string:
      return 0;
    case DType::fp16:
      return float_from_half(load<std::uint16_t>(p + 2 * i));
    case DType::fp32:
      return load<float>(p + 4 * i);
    case DType::fp64:
      return load<double>(p + 8 * i);
    case DType::bf16:
      return std::bit_cast<float>(std::uint32_t{load<std::uint16_t>(p + 2 * i)} << 16);
    case DType::fp8e4m3fn:
      return fp8_value(load<std::uint8_t>(p + i), 3);
    case DType::fp8e5m2:
      return fp8_value(load<std::uint8_t>(p + i), 2);
    case DType::int8:
      return load<std::int8_t>(p + i);
    case DType::int16:
      return load<std::int16_t>(p + 2 * i);
    case DType::int32:
      return load<std::int32_t>(p + 4 * i);
    case DType::int64:
      return static_cast<double>(load<std::int64_t>(p + 8 * i));
    case DType::uint8:
      return load<std::uint8_t>(p + i);
    case DType::uint16:
      return load<std::uint16_t>(p + 2 * i);
    case DType::uint32:
      return load<std::uint32_t>(p + 4 * i);
    case DType::uint64:
      return static_cast<double>(load<std::uint64_t>(p + 8 * i));
    case DType::int4: {
      const unsigned code = packed_bits(c.data.view, i, 4);
      return static_cast<int>(code) - (code >= 8 ? 16 : 0);
    }
    case DType::uint1:
    case DType::uint2:
    case DType::uint3:
    case DType::uint4:
    case DType::uint6:
      return packed_bits(c.data.view, i, bits(c.type.dtype));
  }
  return 0;
}

template <class T>
void put(std::vector<std::byte>& out, T value) {
  const std::size_t at = out.size();
  out.resize(at + sizeof value);
  std::memcpy(out.data() + at, &value, sizeof value);
}

// Truncates toward zero, then wraps to the width: what a C cast does where it is defined, made total.
std::uint64_t to_integer(double value) {
  if (std::isnan(value)) return 0;
  if (value >= 9.2e18) return value >= 1.8446744073709552e19 ? ~std::uint64_t{0} : static_cast<std::uint64_t>(value);
  if (value <= -9.2e18) return std::uint64_t{1} << 63;
  return static_cast<std::uint64_t>(static_cast<std::int64_t>(value));
}

void append(std::vector<std::byte>& out, DType dtype, double value) {
  switch (dtype) {
    case DType::boolean:
      return put<std::uint8_t>(out, value != 0);
    case DType::fp16:
      return put<std::uint16_t>(out, half_from_double(value));
    case DType::fp32:
      return put<float>(out, static_cast<float>(value));
    case DType::fp64:
      return put<double>(out, value);
    case DType::int8:
    case DType::uint8:
      return put<std::uint8_t>(out, static_cast<std::uint8_t>(to_integer(value)));
    case DType::int16:
    case DType::uint16:
      return put<std::uint16_t>(out, static_cast<std::uint16_t>(to_integer(value)));
    case DType::int32:
    case DType::uint32:
      return put<std::uint32_t>(out, static_cast<std::uint32_t>(to_integer(value)));
    case DType::int64:
    case DType::uint64:
      return put<std::uint64_t>(out, to_integer(value));
    case DType::bf16: {
      const std::uint32_t bits_ = std::bit_cast<std::uint32_t>(static_cast<float>(value));
      return put<std::uint16_t>(out, static_cast<std::uint16_t>((bits_ + 0x7fffu + ((bits_ >> 16) & 1u)) >> 16));
    }
    case DType::string:
    case DType::fp8e4m3fn:
    case DType::fp8e5m2:
    case DType::int4:
    case DType::uint1:
    case DType::uint2:
    case DType::uint3:
    case DType::uint4:
    case DType::uint6:
      return;
  }
}

// Sub-byte integers as a bit stream, least significant bit first.
std::vector<std::byte> pack_bits(std::span<const double> values, int width) {
  std::vector<std::byte> out((values.size() * static_cast<std::size_t>(width) + 7) / 8);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto code = static_cast<unsigned>(to_integer(values[i]));
    for (int bit = 0; bit < width; ++bit) {
      const std::size_t at = i * static_cast<std::size_t>(width) + static_cast<std::size_t>(bit);
      out[at / 8] |= static_cast<std::byte>(((code >> bit) & 1u) << (at % 8));
    }
  }
  return out;
}

}  // namespace

ConstantPtr make_constant(Type type, Bytes data) {
  auto constant = std::make_shared<Constant>();
  constant->type = std::move(type);
  constant->data = std::move(data);
  return constant;
}

ConstantPtr make_constant(DType dtype, Dims dims, std::span<const double> values) {
  if (dtype == DType::fp32) {  // weights by the million: not value by value
    const std::vector<float> narrow(values.begin(), values.end());
    return make_constant(dtype, std::move(dims), std::span<const float>(narrow));
  }
  std::vector<std::byte> bytes;
  if (bits(dtype) > 0 && bits(dtype) < 8) {
    bytes = pack_bits(values, bits(dtype));
  } else {
    bytes.reserve(values.size() * static_cast<std::size_t>(bits(dtype)) / 8);
    for (double value : values) append(bytes, dtype, value);
  }
  return make_constant(Type::tensor(dtype, std::move(dims)), Bytes::owned(std::move(bytes)));
}

ConstantPtr make_constant(DType dtype, Dims dims, std::span<const float> values) {
  if (dtype == DType::fp32) return make_constant(Type::tensor(dtype, std::move(dims)), Bytes::copy_of(values));
  if (dtype == DType::fp16) {
    std::vector<std::byte> bytes(values.size() * 2);
    half_from_float(values, reinterpret_cast<std::uint16_t*>(bytes.data()));
    return make_constant(Type::tensor(dtype, std::move(dims)), Bytes::owned(std::move(bytes)));
  }
  return make_constant(dtype, std::move(dims), std::vector<double>(values.begin(), values.end()));
}

ConstantPtr make_scalar(DType dtype, double value) {
  return make_constant(dtype, {}, std::span<const double>(&value, 1));
}

ConstantPtr make_text(std::string text) {
  auto constant = std::make_shared<Constant>();
  constant->type = Type::tensor(DType::string, {});
  constant->strings = {std::move(text)};
  return constant;
}

ConstantPtr make_ints(std::span<const std::int64_t> values) {
  return make_constant(DType::int32, {static_cast<std::int64_t>(values.size())},
                       std::vector<double>(values.begin(), values.end()));
}

ConstantPtr make_bools(const std::vector<bool>& values) {
  return make_constant(DType::boolean, {static_cast<std::int64_t>(values.size())},
                       std::vector<double>(values.begin(), values.end()));
}

std::vector<double> to_doubles(const Constant& c) {
  if (!c.missing.empty() || !c.type.is_tensor() || c.is_string()) return {};
  std::vector<double> out(static_cast<std::size_t>(c.count()));
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = element(c, i);
  return out;
}

std::vector<float> to_floats(const Constant& c) {
  if (c.missing.empty() && c.type.is_tensor() && c.type.dtype == DType::fp32) {
    const auto view = elements_as<float>(c);
    return {view.begin(), view.end()};
  }
  if (c.missing.empty() && c.type.is_tensor() && c.type.dtype == DType::fp16) {
    std::vector<float> out(static_cast<std::size_t>(c.count()));
    float_from_half(elements_as<std::uint16_t>(c), out.data());
    return out;
  }
  const std::vector<double> wide = to_doubles(c);
  return {wide.begin(), wide.end()};
}

std::vector<std::int64_t> to_ints(const Constant& c) {
  const std::vector<double> wide = to_doubles(c);
  std::vector<std::int64_t> out(wide.size());
  for (std::size_t i = 0; i < wide.size(); ++i) out[i] = static_cast<std::int64_t>(to_integer(wide[i]));
  return out;
}

double scalar(const Constant& c, std::int64_t index) {
  return c.missing.empty() && c.type.is_tensor() && !c.is_string() && index < c.count()
             ? element(c, static_cast<std::size_t>(index))
             : 0;
}

bool same_content(const Constant& a, const Constant& b) {
  if (a.type != b.type || a.strings != b.strings || a.missing != b.missing || a.elements.size() != b.elements.size())
    return false;
  for (std::size_t i = 0; i < a.elements.size(); ++i) {
    if (!same_content(a.elements[i], b.elements[i])) return false;
  }
  return a.data.size() == b.data.size() && (a.data.data() == b.data.data() || a.data.size() == 0 ||
                                            std::memcmp(a.data.data(), b.data.data(), a.data.size()) == 0);
}

std::uint64_t content_hash(const Constant& c) {
  const std::string type = to_string(c.type);
  std::uint64_t hash = XXH3_64bits_withSeed(type.data(), type.size(), c.elements.size());
  for (const std::string& text : c.strings) hash = XXH3_64bits_withSeed(text.data(), text.size(), hash);
  for (const Constant& inner : c.elements) hash = hash * 31 + content_hash(inner);
  return XXH3_64bits_withSeed(c.data.data(), c.data.size(), hash);
}

}  // namespace anemone
