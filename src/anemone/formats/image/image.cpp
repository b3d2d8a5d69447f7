// Images by way of the media module, after their claimed size was checked.
#include "anemone/formats/image/image.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "anemone/formats/image/image_size.h"
#include "anemone/formats/image/media.h"
#include "anemone/support/file.h"

namespace anemone::formats {

namespace fs = std::filesystem;

namespace {

Result<void> check_pixels(std::uint64_t width, std::uint64_t height, const std::string& name) {
  if (width == 0 || height == 0)
    return bad_input(ErrorCode::unknown_image, fmt::format("the image has {}x{} pixels", width, height), name);
  if (width > kMaxPixels || height > kMaxPixels / width) {
    return bad_input(ErrorCode::image_too_large,
                     fmt::format("the image claims {}x{} pixels; more than {} million are not read", width, height,
                                 kMaxPixels / 1'000'000),
                     name, "make the image smaller first");
  }
  return {};
}

bool is_consistent(const Image& image) {
  return image.width > 0 && image.height > 0 && image.channels == 3 &&
         image.bgr.size() / 3 / static_cast<std::size_t>(image.width) == static_cast<std::size_t>(image.height) &&
         image.bgr.size() % (3 * static_cast<std::size_t>(image.width)) == 0;
}

}  // namespace

Result<Image> decode_image(const Bytes& file, const std::string& name) {
  TRY(const ImageSizeInFile size, size_in_file(file, name));
  if (is_cut_off(file))
    return bad_input(ErrorCode::image_damaged, "the image file is cut off", name, "copy or download it again");
  TRY_VOID(check_pixels(size.width, size.height, name));
  if (file.size() > (1u << 30))
    return bad_input(ErrorCode::image_too_large, fmt::format("an image file of {} bytes is not read", file.size()),
                     name);
  if (!media()) return media().error();
  Image image;
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(file.data());
  std::int32_t width = 0, height = 0;
  if (const char* problem = (*media())->decode(bytes, file.size(), kMaxPixels, &width, &height, sink(image.bgr))) {
    return bad_input(ErrorCode::image_damaged, problem, name, "the file is damaged or incomplete");
  }
  image.width = width;
  image.height = height;
  return image;
}

Result<Image> decode_image(const fs::path& path) {
  TRY(const Bytes file, map_file(path));
  return decode_image(file, path.string());
}

Result<Image> resize_image(const Image& image, int width, int height) {
  if (!is_consistent(image) || width <= 0 || height <= 0) {
    return own_bug(fmt::format("resizing an image of {}x{} pixels and {} bytes to {}x{}", image.width, image.height,
                               image.bgr.size(), width, height));
  }
  TRY_VOID(check_pixels(static_cast<std::uint64_t>(width), static_cast<std::uint64_t>(height), "the resized image"));
  if (!media()) return media().error();
  Image out{width, height, 3, {}};
  out.bgr.resize(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3);
  if (const char* problem =
          (*media())->resize(image.bgr.data(), image.width, image.height, width, height, out.bgr.data())) {
    return bad_environment(ErrorCode::image_refused, problem);
  }
  return out;
}

Result<std::vector<std::uint8_t>> encode_image(const Image& image, const std::string& extension,
                                               const std::string& name) {
  if (!is_consistent(image)) return own_bug("writing an image whose size and bytes disagree", name);
  if (!media()) return media().error();
  std::vector<std::uint8_t> bytes;
  if (const char* problem =
          (*media())->encode(image.bgr.data(), image.width, image.height, extension.c_str(), sink(bytes)))
    return bad_environment(ErrorCode::image_refused, problem, name);
  return bytes;
}

Result<void> write_image(const Image& image, const fs::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  constexpr std::string_view kExtensions[] = {".png", ".jpg", ".jpeg", ".bmp", ".webp", ".ppm"};
  if (std::find(std::begin(kExtensions), std::end(kExtensions), extension) == std::end(kExtensions)) {
    return bad_usage(fmt::format("'{}' does not say an image format", path.string()),
                     "end the name in .png, .jpg, .bmp, .webp or .ppm");
  }
  TRY(const std::vector<std::uint8_t> bytes, encode_image(image, extension, path.string()));
  return write_file(path, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

}  // namespace anemone::formats
