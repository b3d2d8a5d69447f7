// Signatures, and the size of Matroska's segment.
#include "anemone/formats/image/video_container.h"

#include <algorithm>
#include <bit>
#include <optional>
#include <string_view>

namespace anemone::formats {
namespace {

/// EBML's numbers: the count of leading zero bits says how many bytes follow (RFC 8794, section 4).
class Ebml {
 public:
  explicit Ebml(std::span<const std::byte> bytes) : bytes_(bytes) {}
  std::size_t at() const { return at_; }
  void skip(std::uint64_t count) {
    at_ += static_cast<std::size_t>(std::min<std::uint64_t>(count, bytes_.size() - at_));
  }
  std::optional<std::uint64_t> id() { return number(false); }
  /// Nothing at the end, and where the writer did not know (all bits are one).
  std::optional<std::uint64_t> size() { return number(true); }

 private:
  std::optional<std::uint64_t> number(bool is_size) {
    if (at_ >= bytes_.size()) return std::nullopt;
    const auto first = std::to_integer<std::uint8_t>(bytes_[at_]);
    const auto length = static_cast<std::size_t>(std::countl_zero(first)) + 1;
    if (length > 8 || length > bytes_.size() - at_) return std::nullopt;
    std::uint64_t value = is_size ? first & (0xffu >> length) : first;
    for (std::size_t i = 1; i < length; ++i) value = value << 8 | std::to_integer<std::uint64_t>(bytes_[at_ + i]);
    at_ += length;
    const std::uint64_t unknown = (std::uint64_t{1} << (7 * length)) - 1;
    return is_size && value == unknown ? std::nullopt : std::optional(value);
  }
  std::span<const std::byte> bytes_;
  std::size_t at_ = 0;
};

bool is_cut_off_matroska(std::span<const std::byte> file) {
  constexpr std::uint64_t kHeader = 0x1A45DFA3, kSegment = 0x18538067;
  Ebml reader(file);
  if (reader.id() != kHeader) return false;
  const auto header = reader.size();
  if (!header) return false;
  reader.skip(*header);
  if (reader.id() != kSegment) return false;
  const auto segment = reader.size();
  return segment && *segment > file.size() - reader.at();
}

}  // namespace

VideoLength video_length(std::span<const std::byte> file) {
  const std::string_view head(reinterpret_cast<const char*>(file.data()), std::min<std::size_t>(file.size(), 16));
  if (head.starts_with("RIFF") || (head.size() > 8 && head.substr(4, 4) == "ftyp")) return VideoLength::counted;
  return is_cut_off_matroska(file) ? VideoLength::cut_off : VideoLength::estimated;
}

bool is_text(std::span<const std::byte> file) {
  constexpr std::size_t kLook = 4096;
  const auto head = file.first(std::min(file.size(), kLook));
  return !head.empty() && std::all_of(head.begin(), head.end(), [](std::byte byte) {
    const auto c = std::to_integer<unsigned char>(byte);
    return c >= 0x20 || c == '\n' || c == '\r' || c == '\t' || c == '\f';  // letters beyond ASCII have bytes from 0x80
  });
}

}  // namespace anemone::formats
