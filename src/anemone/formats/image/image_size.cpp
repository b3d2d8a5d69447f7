// What image files claim about their size, read from their headers: the check before a decoder sees them.
#include "anemone/formats/image/image_size.h"

#include <fmt/format.h>

#include <optional>
#include <string_view>

namespace anemone::formats {

namespace {

/// Bounded reads; beyond the end everything is 0, and the sizes that follow from it are refused.
class Header {
 public:
  explicit Header(const Bytes& file) : file_(file) {}
  std::uint64_t byte(std::size_t at) const {
    return at < file_.size() ? static_cast<std::uint64_t>(file_.view[at]) : 0;
  }
  std::uint64_t little(std::size_t at, std::size_t count) const {
    std::uint64_t value = 0;
    for (std::size_t i = count; i > 0; --i) value = value << 8 | byte(at + i - 1);
    return value;
  }
  std::uint64_t big(std::size_t at, std::size_t count) const {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < count; ++i) value = value << 8 | byte(at + i);
    return value;
  }
  bool has(std::size_t at, std::string_view text) const {
    if (at > file_.size() || text.size() > file_.size() - at) return false;
    return std::string_view(reinterpret_cast<const char*>(file_.data()) + at, text.size()) == text;
  }
  std::size_t size() const { return file_.size(); }

 private:
  const Bytes& file_;
};

using Size = std::optional<ImageSizeInFile>;

/// What the markers of a JPEG say. Thumbnails inside segments are stepped over.
struct JpegMarkers {
  Size size;                   ///< of the first frame header (SOF0..SOF15 without the three that are none)
  std::size_t data_begin = 0;  ///< where the compressed data begin; 0: nowhere
};

JpegMarkers jpeg_markers(const Header& h) {
  JpegMarkers found;
  std::size_t at = 2;
  while (at + 9 < h.size() && h.byte(at) == 0xff) {
    const std::uint64_t marker = h.byte(at + 1);
    if (marker == 0xff) {  // fill byte
      ++at;
      continue;
    }
    if (marker == 0x01 || (marker >= 0xd0 && marker <= 0xd8)) {  // markers without a length
      at += 2;
      continue;
    }
    const std::uint64_t length = h.big(at + 2, 2);
    if (marker == 0xd9 || length < 2) break;
    const bool is_frame = marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
    if (is_frame && !found.size) found.size = ImageSizeInFile{h.big(at + 7, 2), h.big(at + 5, 2)};
    at += 2 + static_cast<std::size_t>(length);
    if (marker == 0xda) {
      found.data_begin = at;
      break;
    }
  }
  return found;
}

Size webp_size(const Header& h) {
  if (h.has(12, "VP8X")) return ImageSizeInFile{h.little(24, 3) + 1, h.little(27, 3) + 1};
  if (h.has(12, "VP8L") && h.byte(20) == 0x2f) {
    const std::uint64_t bits = h.little(21, 4);
    return ImageSizeInFile{(bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1};
  }
  if (h.has(12, "VP8 ")) return ImageSizeInFile{h.little(26, 2) & 0x3fff, h.little(28, 2) & 0x3fff};
  return std::nullopt;
}

Size bmp_size(const Header& h) {
  const std::uint64_t header = h.little(14, 4);
  if (header == 12) return ImageSizeInFile{h.little(18, 2), h.little(20, 2)};
  if (header < 40) return std::nullopt;
  // A negative height means rows from the top.
  const std::uint64_t height = h.little(22, 4);
  return ImageSizeInFile{h.little(18, 4), height < 0x80000000u ? height : 0x100000000u - height};
}

/// "P5 width height ..." with comments.
Size pnm_size(const Header& h) {
  std::size_t at = 2;
  std::uint64_t numbers[2] = {};
  for (std::uint64_t& number : numbers) {
    const auto is_space = [&] { return h.byte(at) == ' ' || (h.byte(at) >= '\t' && h.byte(at) <= '\r'); };
    while (at < h.size() && (is_space() || h.byte(at) == '#')) {
      if (h.byte(at) == '#') {
        while (at < h.size() && h.byte(at) != '\n') ++at;
      } else {
        ++at;
      }
    }
    int digits = 0;
    for (; h.byte(at) >= '0' && h.byte(at) <= '9'; ++at) {
      if (++digits > 9) return std::nullopt;
      number = number * 10 + (h.byte(at) - '0');
    }
    if (digits == 0) return std::nullopt;
  }
  return ImageSizeInFile{numbers[0], numbers[1]};
}

}  // namespace

Result<ImageSizeInFile> size_in_file(const Bytes& file, const std::string& name) {
  const Header h(file);
  const char* format = nullptr;
  Size size;
  if (h.has(0, "\x89PNG\r\n\x1a\n")) {
    format = "PNG";
    if (h.has(12, "IHDR")) size = ImageSizeInFile{h.big(16, 4), h.big(20, 4)};
  } else if (h.has(0, "\xff\xd8\xff")) {
    format = "JPEG";
    size = jpeg_markers(h).size;
  } else if (h.has(0, "RIFF") && h.has(8, "WEBP")) {
    format = "WebP";
    size = webp_size(h);
  } else if (h.has(0, "BM")) {
    format = "BMP";
    size = bmp_size(h);
  } else if (h.byte(0) == 'P' && h.byte(1) >= '1' && h.byte(1) <= '6') {
    format = "PNM";
    size = pnm_size(h);
  }
  if (format == nullptr) {
    return bad_input(ErrorCode::unknown_image, "this is not an image of a known format (PNG, JPEG, BMP, WebP, PNM)",
                     name, "convert it to PNG or JPEG");
  }
  if (!size) {
    return bad_input(ErrorCode::image_damaged, fmt::format("the {} file has no header that says its size", format),
                     name, "the file is damaged or incomplete");
  }
  return *size;
}

bool is_image(const Bytes& file) {
  const auto size = size_in_file(file, {});
  return size || size.error().front().code != ErrorCode::unknown_image;
}

bool is_cut_off(const Bytes& file) {
  const Header h(file);
  if (h.has(0, "\x89PNG\r\n\x1a\n")) {
    std::uint64_t at = 8;
    while (at + 12 <= file.size() && !h.has(static_cast<std::size_t>(at) + 4, "IEND")) {
      at += 12 + h.big(static_cast<std::size_t>(at), 4);
    }
    return at + 12 > file.size();
  }
  if (!h.has(0, "\xff\xd8\xff")) return false;
  const std::size_t begin = jpeg_markers(h).data_begin;
  if (begin == 0 || begin > file.size()) return true;
  const std::string_view data(reinterpret_cast<const char*>(file.data()) + begin, file.size() - begin);
  return data.find("\xff\xd9") == std::string_view::npos;
}

}  // namespace anemone::formats
