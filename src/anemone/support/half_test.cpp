// The half conversions against the definition of the format, for every half and every float.
#include "anemone/support/half.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace anemone {
namespace {

// The value of a half by the format's definition.
double value_of(std::uint16_t half) {
  const int exponent = (half >> 10) & 31, mantissa = half & 1023;
  const double sign = half & 0x8000 ? -1 : 1;
  if (exponent == 31)
    return mantissa ? std::numeric_limits<double>::quiet_NaN() : sign * std::numeric_limits<double>::infinity();
  return sign * (exponent ? std::ldexp(1024 + mantissa, exponent - 25) : std::ldexp(mantissa, -24));
}

TEST(Half, EveryHalfWidensExactlyAndComesBack) {
  for (std::uint32_t h = 0; h < 65536; ++h) {
    const auto half = static_cast<std::uint16_t>(h);
    const float wide = float_from_half(half);
    if (std::isnan(value_of(half))) {
      EXPECT_TRUE(std::isnan(wide));
      EXPECT_TRUE(std::isnan(float_from_half(half_from_float(wide))));
    } else {
      ASSERT_EQ(static_cast<double>(wide), value_of(half)) << h;
      ASSERT_EQ(std::signbit(wide), (h & 0x8000) != 0);
      ASSERT_EQ(half_from_float(wide), half);
    }
  }
}

// All floats between two neighbouring halves go to the nearer one; a tie goes to the even one.
TEST(Half, RoundsToNearestEvenAroundEveryBoundary) {
  for (std::uint32_t h = 0; h < 0x7c00; ++h) {
    const double low = value_of(static_cast<std::uint16_t>(h));
    const double high = h + 1 == 0x7c00 ? 65536.0 : value_of(static_cast<std::uint16_t>(h + 1));
    const float middle = static_cast<float>((low + high) / 2);  // exact: 12 significant bits
    const float below = std::nextafter(middle, 0.0f), above = std::nextafter(middle, 1e9f);
    ASSERT_EQ(half_from_float(middle), h % 2 ? h + 1 : h);
    ASSERT_EQ(half_from_float(below), h);
    ASSERT_EQ(half_from_float(above), h + 1);
    ASSERT_EQ(half_from_float(-above), (h + 1) | 0x8000);
    // Just beside a tie, closer than a float can say.
    const double step = std::ldexp(static_cast<double>(middle), -50);
    if (middle > 0) {
      ASSERT_EQ(half_from_double(static_cast<double>(middle) + step), h + 1) << h;
      ASSERT_EQ(half_from_double(static_cast<double>(middle) - step), h) << h;
    }
  }
}

TEST(Half, AllFloatsAreMonotonic) {
  std::uint16_t last = 0;
  for (std::uint32_t bits = 0; bits <= 0x7f800000u; bits += 1021) {  // a prime step: 2 million floats
    const std::uint16_t half = half_from_float(std::bit_cast<float>(bits));
    ASSERT_GE(half, last);
    last = half;
  }
  EXPECT_EQ(half_from_float(std::numeric_limits<float>::infinity()), 0x7c00);
  EXPECT_EQ(half_from_float(65519.99f), 0x7bff);
  EXPECT_EQ(half_from_float(65520.0f), 0x7c00);
  EXPECT_EQ(half_from_double(1e300), 0x7c00);
  EXPECT_EQ(half_from_double(-1e-300), 0x8000);
}

}  // namespace
}  // namespace anemone
