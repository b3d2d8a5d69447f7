#pragma once
// Pixels that somebody else owns: what every function of this folder takes as an image.
#include <cstddef>
#include <cstdint>

namespace anemone::face {

enum class PixelFormat : std::uint8_t { bgr, rgb, bgra, rgba, gray };
constexpr int bytes_per_pixel(PixelFormat format) {
  return format == PixelFormat::gray ? 1 : format == PixelFormat::bgr || format == PixelFormat::rgb ? 3 : 4;
}

/// 8-bit pixels in rows from the top. The view must not outlive them.
struct PixelView {
  const std::uint8_t* data = nullptr;
  int width = 0, height = 0;
  std::ptrdiff_t stride = 0;  ///< bytes from a row to the next one
  PixelFormat format = PixelFormat::bgr;

  const std::uint8_t* row(int y) const { return data + y * stride; }
};

/// In pixels of the image: (0, 0) is the centre of the first pixel for landmarks, as STAR and OpenCV count.
struct Point {
  float x = 0, y = 0;
};
struct Box {
  float x1 = 0, y1 = 0, x2 = 0, y2 = 0;
  float width() const { return x2 - x1; }
  float height() const { return y2 - y1; }
};

}  // namespace anemone::face
