// One public-domain face, and what seeded changes make of it.
#include "anemone/toolchain/face_pictures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <span>

#include "anemone/formats/image/image.h"
#include "anemone/toolchain/seeded_inputs.h"

namespace anemone::toolchain {

/// The bytes of examples/astronaut/crop256.png: cmake/embed.cmake makes the file that defines it.
std::span<const unsigned char> face_png();

namespace {

constexpr int kPictures = 6;

/// What is done to the picture. Shifts are in parts of the side; the noise is a deviation in grey levels.
struct Change {
  double turn_degrees = 0, scale = 1, shift_x = 0, shift_y = 0, brightness = 1, noise = 0;
};

Change draw(Draws& draws) {
  Change change;
  change.turn_degrees = std::round(draws.uniform(-20, 20));
  change.scale = draws.uniform(0.85, 1.15);
  change.shift_x = draws.uniform(-0.06, 0.06);
  change.shift_y = draws.uniform(-0.06, 0.06);
  change.brightness = draws.uniform(0.7, 1.3);
  change.noise = draws.uniform(0, 6);
  return change;
}

std::string label_of(int index, const Change& change) {
  if (index == 0) return "face 1 (as it is)";
  return fmt::format("face {} (turned by {:.0f} degrees, {:.2f} times as large, {:.2f} times as bright)", index + 1,
                     change.turn_degrees, change.scale, change.brightness);
}

/// Bilinear between pixel centres; outside, the nearest pixel.
double sample(const formats::Image& image, double x, double y, std::size_t channel) {
  x = std::clamp(x, 0.0, image.width - 1.0);
  y = std::clamp(y, 0.0, image.height - 1.0);
  const auto left = static_cast<std::size_t>(x), top = static_cast<std::size_t>(y);
  const std::size_t right = std::min(left + 1, static_cast<std::size_t>(image.width - 1)),
                    bottom = std::min(top + 1, static_cast<std::size_t>(image.height - 1));
  const double u = x - static_cast<double>(left), v = y - static_cast<double>(top);
  const auto at = [&](std::size_t column, std::size_t row) {
    return static_cast<double>(image.bgr[(row * static_cast<std::size_t>(image.width) + column) * 3 + channel]);
  };
  return (1 - v) * ((1 - u) * at(left, top) + u * at(right, top)) +
         v * ((1 - u) * at(left, bottom) + u * at(right, bottom));
}

InputFile changed(const formats::Image& face, const Change& change, std::int64_t width, std::int64_t height,
                  Draws& draws) {
  std::vector<std::uint8_t> bgr(static_cast<std::size_t>(width * height * 3));
  const double angle = change.turn_degrees * std::numbers::pi / 180;
  const double cosine = std::cos(angle) / change.scale, sine = std::sin(angle) / change.scale;
  for (std::int64_t row = 0; row < height; ++row) {
    for (std::int64_t column = 0; column < width; ++column) {
      // Around the centre, in parts of the side: the picture may have another size than the network takes.
      const double x = (static_cast<double>(column) + 0.5) / static_cast<double>(width) - 0.5 - change.shift_x,
                   y = (static_cast<double>(row) + 0.5) / static_cast<double>(height) - 0.5 - change.shift_y;
      const double from_x = (0.5 + cosine * x + sine * y) * face.width - 0.5,
                   from_y = (0.5 - sine * x + cosine * y) * face.height - 0.5;
      for (std::size_t channel = 0; channel < 3; ++channel) {
        double value = sample(face, from_x, from_y, channel) * change.brightness;
        if (change.noise > 0) value += change.noise * draws.normal();
        bgr[static_cast<std::size_t>(row * width + column) * 3 + channel] =
            static_cast<std::uint8_t>(std::clamp(std::round(value), 0.0, 255.0));
      }
    }
  }
  return make_image(std::move(bgr), width, height);
}

}  // namespace

Result<std::vector<InputFile>> face_pictures(std::int64_t width, std::int64_t height, std::uint64_t seed) {
  const std::span<const unsigned char> png = face_png();
  TRY(const formats::Image face, formats::decode_image(Bytes{nullptr, std::as_bytes(png)}, "the built-in face"));
  std::vector<InputFile> pictures;
  Draws draws(seed);
  for (int i = 0; i < kPictures; ++i) {
    const Change change = i == 0 ? Change() : draw(draws);
    pictures.push_back(changed(face, change, width, height, draws));
    pictures.back().label = label_of(i, change);
  }
  return pictures;
}

}  // namespace anemone::toolchain
