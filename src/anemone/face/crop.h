#pragma once
// The square picture of one face that STAR sees, and the way back from its numbers to the image.
#include <array>
#include <optional>
#include <span>
#include <vector>

#include "anemone/face/pixels.h"

namespace anemone::face {

/// From image to crop, row-major 3×3. float32, as STAR's own code keeps it.
using Matrix = std::array<float, 9>;

/// Nothing where the box, its corners truncated to whole pixels, has no extent or is not finite.
std::optional<Matrix> crop_matrix(const Box& box, int size);

/// `size`×`size` BGR pixels: bilinear with 5-bit fractions, black outside of the image. The result is that of
/// cv::warpPerspective of OpenCV 4 to the last bit, whatever OpenCV is installed: newer ones and some builds interpolate
/// in floating point, and the network's crops must not depend on that (docs/decisions/0009-crops-by-definition.md).
void warp(const PixelView& image, const Matrix& matrix, int size, std::uint8_t* bgr);

/// How a network's pair (x, y) in -1…1 becomes pixels of the crop.
enum class PointConvention : std::uint8_t {
  star,      ///< ((p + 1)·size - 1) / 2: pixel centres, as the network was trained
  pyfaceau,  ///< (p + 1) / 2·(size - 1), as pyfaceau and its ONNX detector read them: up to half a crop pixel apart
};

/// Points in pixels of the image.
std::vector<Point> to_image(std::span<const float> coordinates, const Matrix& matrix, int size,
                            PointConvention convention);

}  // namespace anemone::face
