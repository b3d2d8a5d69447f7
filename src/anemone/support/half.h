#pragma once
// IEEE 754 binary16. These integer conversions are the definition that every faster one is compared with: they are
// branch-free, so the compiler vectorises the span forms, and half_test.cpp checks all 2^32 floats against the rule.
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

namespace anemone {

/// Round to nearest, ties to even. Overflow gives infinity; NaN stays a (quiet) NaN with the top bits of its payload.
inline std::uint16_t half_from_float(float value) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t magnitude = bits & 0x7fffffffu;
  const std::uint32_t sign = (bits >> 16) & 0x8000u;
  // Normal results: rebias the exponent by -112 and round away 13 bits. May carry into infinity, as it should.
  const std::uint32_t normal = (magnitude + 0xc8000000u + 0x0fffu + ((magnitude >> 13) & 1u)) >> 13;
  // Subnormal results: adding 0.5 leaves the value in units of 2^-24 in the low mantissa bits, rounded by the FPU.
  const std::uint32_t subnormal =
      std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude & 0x3fffffffu) + 0.5f) - 0x3f000000u;
  const std::uint32_t nan = 0x7e00u | ((magnitude >> 13) & 0x3ffu);
  std::uint32_t result = magnitude < 0x38800000u ? subnormal : normal;  // 2^-14
  result = magnitude >= 0x47800000u ? 0x7c00u : result;                 // 2^16 and more: infinity
  result = magnitude > 0x7f800000u ? nan : result;
  return static_cast<std::uint16_t>(sign | result);
}

/// Exact.
inline float float_from_half(std::uint16_t half) {
  const std::uint32_t magnitude = half & 0x7fffu;
  const std::uint32_t sign = (half & 0x8000u) << 16;
  const std::uint32_t normal = (magnitude << 13) + 0x38000000u;
  // Subnormal: put the bits under the exponent of 0.5 and subtract 0.5.
  const std::uint32_t subnormal = std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude + 0x3f000000u) - 0.5f);
  std::uint32_t result = magnitude < 0x0400u ? subnormal : normal;
  result = magnitude >= 0x7c00u ? (magnitude << 13) + 0x70000000u : result;  // infinity and NaN
  return std::bit_cast<float>(sign | result);
}

/// A double rounded once (not through float, which would round twice).
inline std::uint16_t half_from_double(double value) {
  float narrowed = static_cast<float>(value);
  // Make the float "round to odd": then the second rounding cannot see a false tie.
  const double back = static_cast<double>(narrowed);
  std::uint32_t bits = std::bit_cast<std::uint32_t>(narrowed);
  if (back != value && back == back && (bits & 0x7fffffffu) < 0x7f800000u) {
    const bool too_far = (value > 0) ? back > value : back < value;
    if (too_far) bits -= 1;
    bits |= 1;
  }
  return half_from_float(std::bit_cast<float>(bits));
}

inline float round_to_half(float value) { return float_from_half(half_from_float(value)); }

inline void half_from_float(std::span<const float> in, std::uint16_t* out) {
  for (std::size_t i = 0; i < in.size(); ++i) out[i] = half_from_float(in[i]);
}
inline void float_from_half(std::span<const std::uint16_t> in, float* out) {
  for (std::size_t i = 0; i < in.size(); ++i) out[i] = float_from_half(in[i]);
}

}  // namespace anemone
