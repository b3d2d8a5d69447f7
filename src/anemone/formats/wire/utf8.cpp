// UTF-8 by the table of well-formed sequences (Unicode 15, table 3-7).
#include "anemone/formats/wire/utf8.h"

#include <fmt/format.h>

#include <cstdint>

namespace anemone {

namespace {

/// Bytes of the well-formed character that `text` (not empty) begins with, or 0.
std::size_t character(std::string_view text) {
  const auto at = [&](std::size_t i) { return i < text.size() ? static_cast<std::uint8_t>(text[i]) : 0; };
  const auto tail = [&](std::size_t i) { return at(i) >= 0x80 && at(i) <= 0xbf; };
  const int first = at(0), second = at(1);
  if (first < 0x80) return 1;
  if (first < 0xc2) return 0;
  if (first < 0xe0) return tail(1) ? 2 : 0;
  if (first < 0xf0) {
    const bool good = tail(1) && tail(2) && (first != 0xe0 || second >= 0xa0) && (first != 0xed || second <= 0x9f);
    return good ? 3 : 0;
  }
  const bool good = first <= 0xf4 && tail(1) && tail(2) && tail(3) && (first != 0xf0 || second >= 0x90) &&
                    (first != 0xf4 || second <= 0x8f);
  return good ? 4 : 0;
}

}  // namespace

bool is_utf8(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t length = character(bytes);
    if (length == 0) return false;
    bytes.remove_prefix(length);
  }
  return true;
}

std::string printable(std::string_view bytes, std::size_t longest) {
  std::string text;
  while (!bytes.empty()) {
    if (text.size() >= longest) return text + "...";
    const std::size_t length = character(bytes);
    const auto first = static_cast<std::uint8_t>(bytes[0]);
    if (length == 0 || first < 0x20 || first == 0x7f) {
      text += fmt::format("\\x{:02x}", first);
      bytes.remove_prefix(1);
    } else {
      text += bytes.substr(0, length);
      bytes.remove_prefix(length);
    }
  }
  return text;
}

}  // namespace anemone
