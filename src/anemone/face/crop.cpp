// Matrix, warp and the way back.
#include "anemone/face/crop.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace anemone::face {
namespace {

constexpr int kFractionBits = 5, kFraction = 1 << kFractionBits, kMask = kFraction - 1;
constexpr int kTile = 64;                         // columns whose coordinates are computed from one origin
constexpr double kBoxSide = 200, kMargin = 1.05;  // STAR's scale 1 is a face of 200 pixels; the margin is its own

/// Adjugate over determinant, in double.
std::array<double, 9> inverse(const Matrix& matrix) {
  std::array<double, 9> m{};
  std::copy(matrix.begin(), matrix.end(), m.begin());
  const double a = m[4] * m[8] - m[5] * m[7], b = m[3] * m[8] - m[5] * m[6], c = m[3] * m[7] - m[4] * m[6];
  const double d = 1.0 / (m[0] * a - m[1] * b + m[2] * c);
  return {a * d,
          (m[2] * m[7] - m[1] * m[8]) * d,
          (m[1] * m[5] - m[2] * m[4]) * d,
          (m[5] * m[6] - m[3] * m[8]) * d,
          (m[0] * m[8] - m[2] * m[6]) * d,
          (m[2] * m[3] - m[0] * m[5]) * d,
          c * d,
          (m[1] * m[6] - m[0] * m[7]) * d,
          (m[0] * m[4] - m[1] * m[3]) * d};
}

/// Half to even. What no int holds lies far outside of any image.
int rounded(double x) {
  constexpr double kFar = 1 << 30;
  return static_cast<int>(std::nearbyint(std::clamp(x, -kFar, kFar)));
}

int saturated(int pixel) {
  return std::clamp<int>(pixel, std::numeric_limits<std::int16_t>::min(), std::numeric_limits<std::int16_t>::max());
}

struct Bgr {
  int b = 0, g = 0, r = 0;
};

Bgr pixel_at(const PixelView& image, int x, int y) {
  if (x < 0 || y < 0 || x >= image.width || y >= image.height) return {};
  const std::uint8_t* p = image.row(y) + x * bytes_per_pixel(image.format);
  switch (image.format) {
    case PixelFormat::bgr:
    case PixelFormat::bgra:
      return {p[0], p[1], p[2]};
    case PixelFormat::rgb:
    case PixelFormat::rgba:
      return {p[2], p[1], p[0]};
    case PixelFormat::gray:
      return {p[0], p[0], p[0]};
  }
  return {};
}

}  // namespace

std::optional<Matrix> crop_matrix(const Box& box, int size) {
  constexpr float kFar = 1e6f;
  for (const float side : {box.x1, box.y1, box.x2, box.y2}) {
    if (!(std::abs(side) < kFar)) return std::nullopt;
  }
  const int x1 = static_cast<int>(box.x1), y1 = static_cast<int>(box.y1), x2 = static_cast<int>(box.x2),
            y2 = static_cast<int>(box.y2);
  if (x2 <= x1 || y2 <= y1) return std::nullopt;
  const double scale = std::min(x2 - x1, y2 - y1) / kBoxSide * kMargin;
  const double k = size / (scale * kBoxSide), centre = (size - 1) / 2.0;
  const auto shift = [&](int first, int last) { return static_cast<float>(centre - k * ((first + last) / 2.0)); };
  return Matrix{static_cast<float>(k), 0, shift(x1, x2), 0, static_cast<float>(k), shift(y1, y2), 0, 0, 1};
}

void warp(const PixelView& image, const Matrix& matrix, int size, std::uint8_t* bgr) {
  const std::array<double, 9> q = inverse(matrix);
  for (int y = 0; y < size; ++y) {
    for (int origin = 0; origin < size; origin += kTile) {
      const double x0 = q[0] * origin + q[1] * y + q[2], y0 = q[3] * origin + q[4] * y + q[5],
                   w0 = q[6] * origin + q[7] * y + q[8];
      for (int k = 0; k < std::min(kTile, size - origin); ++k) {
        double w = w0 + q[6] * k;
        w = w != 0 ? kFraction / w : 0;
        const int fx = rounded((x0 + q[0] * k) * w), fy = rounded((y0 + q[3] * k) * w);
        const int x = saturated(fx >> kFractionBits), top = saturated(fy >> kFractionBits);
        const int a = fx & kMask, b = fy & kMask;
        const Bgr corners[4] = {pixel_at(image, x, top), pixel_at(image, x + 1, top), pixel_at(image, x, top + 1),
                                pixel_at(image, x + 1, top + 1)};
        const int weights[4] = {(kFraction - a) * (kFraction - b), a * (kFraction - b), (kFraction - a) * b, a * b};
        int sums[3] = {512, 512, 512};  // half of the divisor, for rounding
        for (int i = 0; i < 4; ++i) {
          sums[0] += weights[i] * corners[i].b;
          sums[1] += weights[i] * corners[i].g;
          sums[2] += weights[i] * corners[i].r;
        }
        for (const int sum : sums) *bgr++ = static_cast<std::uint8_t>(sum >> 2 * kFractionBits);
      }
    }
  }
}

std::vector<Point> to_image(std::span<const float> coordinates, const Matrix& matrix, int size,
                            PointConvention convention) {
  const std::array<double, 9> exact = inverse(matrix);
  Matrix back{};
  std::transform(exact.begin(), exact.end(), back.begin(), [](double x) { return static_cast<float>(x); });
  const auto side = static_cast<float>(size);
  const auto pixel = [&](float p) {
    return convention == PointConvention::star ? ((p + 1) * side - 1) / 2 : (p + 1) / 2 * (side - 1);
  };
  std::vector<Point> out(coordinates.size() / 2);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const float x = pixel(coordinates[2 * i]), y = pixel(coordinates[2 * i + 1]);
    out[i] = {back[0] * x + back[1] * y + back[2], back[3] * x + back[4] * y + back[5]};
  }
  return out;
}

}  // namespace anemone::face
