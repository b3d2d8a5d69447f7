// Pixels to planes.
#include "anemone/face/network.h"

#include <algorithm>

namespace anemone::face {
namespace {

/// Where blue, green and red stand in a pixel.
std::array<int, 3> channels_of(PixelFormat format) {
  switch (format) {
    case PixelFormat::bgr:
    case PixelFormat::bgra:
      return {0, 1, 2};
    case PixelFormat::rgb:
    case PixelFormat::rgba:
      return {2, 1, 0};
    case PixelFormat::gray:
      return {0, 0, 0};
  }
  return {};
}

}  // namespace

void fill_planes(const PixelView& image, const InputForm& form, int height, int width, std::array<float, 3> rest,
                 std::span<float> planes) {
  const std::array<int, 3> at = channels_of(image.format);
  const int step = bytes_per_pixel(image.format);
  for (std::size_t plane = 0; plane < 3; ++plane) {
    const std::size_t color = form.rgb ? 2 - plane : plane;
    const float scale = form.scale, bias = form.bias[plane], outside = rest[color] * scale + bias;
    for (int y = 0; y < height; ++y) {
      float* out = planes.data() + (plane * static_cast<std::size_t>(height) + static_cast<std::size_t>(y)) *
                                       static_cast<std::size_t>(width);
      const int covered = y < image.height ? std::min(width, image.width) : 0;
      if (covered > 0) {
        const std::uint8_t* from = image.row(y) + at[color];
        for (int x = 0; x < covered; ++x) out[x] = static_cast<float>(from[x * step]) * scale + bias;
      }
      std::fill(out + covered, out + width, outside);
    }
  }
}

}  // namespace anemone::face
