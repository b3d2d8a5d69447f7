#pragma once
// Images from files. Decoders load some 200 libraries: they live in a shared module that is opened on first use.
#include <cstdint>
#include <filesystem>
#include <vector>

#include "anemone/support/bytes.h"
#include "anemone/support/result.h"

namespace anemone::formats {

struct Image {
  int width = 0, height = 0;
  int channels = 3;               ///< always 3 here
  std::vector<std::uint8_t> bgr;  ///< height x width x 3 bytes: blue, green, red
};

/// Images beyond this are refused before memory is asked for: a small file can claim any size.
inline constexpr std::uint64_t kMaxPixels = 64'000'000;

/// PNG, JPEG, BMP, WebP or PNM as 8-bit BGR, turned upright as its EXIF data say, alpha ignored: what cv::imread gives.
Result<Image> decode_image(const std::filesystem::path& path);
/// `name` stands in the places of errors.
Result<Image> decode_image(const Bytes& file, const std::string& name);

/// Bilinear with pixel centres at halves (cv::INTER_LINEAR); no smoothing when shrinking.
Result<Image> resize_image(const Image& image, int width, int height);

/// The bytes of a file of the format that the extension (".jpg") names. `name` stands in the places of errors.
Result<std::vector<std::uint8_t>> encode_image(const Image& image, const std::string& extension,
                                               const std::string& name);
/// Writes the format that the extension names (png, jpg, bmp, webp, ppm), whole or not at all.
Result<void> write_image(const Image& image, const std::filesystem::path& path);

}  // namespace anemone::formats
