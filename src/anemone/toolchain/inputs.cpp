// Arrays and images from files.
#include "anemone/toolchain/inputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "anemone/formats/image/image.h"
#include "anemone/toolchain/arrays.h"

namespace anemone::toolchain {

Result<InputFile> read_input(const std::string& word) {
  InputFile input;
  const std::size_t equals = word.find('=');
  // Names of ONNX graphs may hold slashes: what stands behind the sign decides.
  std::error_code ignored;
  if (equals != std::string::npos &&
      (word.find('/') > equals || std::filesystem::exists(word.substr(equals + 1), ignored)))
    input.name = word.substr(0, equals);
  input.file = input.name.empty() ? word : word.substr(equals + 1);
  if (input.file.extension() == ".npy") {
    TRY(input.array, read_array(input.file));
    return input;
  }
  TRY(formats::Image image, formats::decode_image(input.file));
  input.is_image = true;
  input.width = image.width;
  input.height = image.height;
  input.bgr = std::move(image.bgr);
  return input;
}

std::string name_of(const InputFile& input) { return input.label.empty() ? input.file.string() : input.label; }

Result<std::vector<std::filesystem::path>> pictures_in(const std::filesystem::path& folder) {
  constexpr std::array<std::string_view, 7> kEndings{".png", ".jpg", ".jpeg", ".bmp", ".webp", ".ppm", ".pgm"};
  std::error_code error;
  if (!std::filesystem::is_directory(folder, error))
    return bad_usage(fmt::format("'{}' is no folder", folder.string()), "give a folder of pictures");
  std::vector<std::filesystem::path> pictures;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    std::string ending = entry.path().extension().string();
    for (char& c : ending) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    const bool picture = std::find(kEndings.begin(), kEndings.end(), ending) != kEndings.end();
    if (picture && entry.is_regular_file(error) && !entry.path().filename().string().starts_with('.'))
      pictures.push_back(entry.path());
  }
  if (pictures.empty())
    return bad_usage(fmt::format("no picture is in '{}'", folder.string()), "pictures end in .png, .jpg, .bmp …");
  std::sort(pictures.begin(), pictures.end());
  return pictures;
}

Result<std::vector<InputFile>> read_inputs(const std::vector<std::string>& words) {
  std::vector<InputFile> files;
  for (const std::string& word : words) {
    TRY(InputFile file, read_input(word));
    files.push_back(std::move(file));
  }
  return files;
}

InputFile make_image(std::vector<std::uint8_t> bgr, std::int64_t width, std::int64_t height) {
  InputFile image;
  image.is_image = true;
  image.bgr = std::move(bgr);
  image.width = width;
  image.height = height;
  return image;
}

Result<InputFile> resized(const InputFile& from, std::int64_t width, std::int64_t height) {
  TRY(formats::Image image,
      formats::resize_image(formats::Image{static_cast<int>(from.width), static_cast<int>(from.height), 3, from.bgr},
                            static_cast<int>(width), static_cast<int>(height)));
  InputFile out = from;
  out.width = width;
  out.height = height;
  out.bgr = std::move(image.bgr);
  return out;
}

namespace {

std::int64_t channels_of(Color color) { return color == Color::gray || color == Color::gray_fp16 ? 1 : 3; }

}  // namespace

Array planes(const InputFile& image, Color color) {
  const std::int64_t pixels = image.width * image.height, channels = channels_of(color);
  Array array{DType::fp32,
              {1, channels, image.height, image.width},
              std::vector<double>(static_cast<std::size_t>(pixels * channels))};
  for (std::int64_t i = 0; i < pixels; ++i) {
    const std::uint8_t* bgr = image.bgr.data() + 3 * i;
    if (channels == 1) {
      array.data[static_cast<std::size_t>(i)] = std::round(0.114 * bgr[0] + 0.587 * bgr[1] + 0.299 * bgr[2]);
      continue;
    }
    for (std::int64_t c = 0; c < 3; ++c)
      array.data[static_cast<std::size_t>(c * pixels + i)] = bgr[color == Color::bgr ? c : 2 - c];
  }
  return array;
}

}  // namespace anemone::toolchain
