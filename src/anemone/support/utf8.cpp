// UTF-8 by the table of well-formed sequences (Unicode 15, table 3-7), and escapes.
#include "anemone/support/utf8.h"

#include <fmt/format.h>

#include <algorithm>
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

namespace {

/// The number of a well-formed character of `length` bytes.
std::uint32_t code_point(std::string_view text, std::size_t length) {
  const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  if (length == 1) return at(0);
  std::uint32_t code = at(0) & (0x7fu >> length);
  for (std::size_t i = 1; i < length; ++i) code = code << 6 | (at(i) & 0x3fu);
  return code;
}

bool is_obeyed(std::uint32_t code) {
  return (code >= 0x80 && code < 0xa0) ||       // C1: some terminals take 9b for ESC [
         code == 0x061c || code == 0x180e ||    // a mark of direction, and one of Mongolian vowels that nobody sees
         (code >= 0x200b && code <= 0x200f) ||  // without width, marks of direction
         (code >= 0x2028 && code <= 0x202e) ||  // separators of lines and paragraphs; embeddings, overrides
         (code >= 0x2060 && code <= 0x206f) ||  // isolates, and what nobody sees
         code == 0xfeff || (code >= 0xfff9 && code <= 0xfffb) || (code >= 0xe0000 && code <= 0xe0fff);  // tags
}

/// Appends the first character of `text`, which is not empty, and takes it off.
void append_escaped(std::string& out, std::string_view& text) {
  const std::size_t length = character(text);
  const auto first = static_cast<std::uint8_t>(text[0]);
  if (length == 0 || first < 0x20 || first == 0x7f) {
    out += fmt::format("\\x{:02x}", first);
    text.remove_prefix(1);
    return;
  }
  if (is_obeyed(code_point(text, length))) {
    for (const char c : text.substr(0, length)) out += fmt::format("\\x{:02x}", static_cast<std::uint8_t>(c));
  } else {
    out += text.substr(0, length);
  }
  text.remove_prefix(length);
}

/// Bytes of a colour at the start of `text`, ESC [ digits and semicolons m, or 0.
std::size_t color(std::string_view text) {
  if (!text.starts_with("\x1b[")) return 0;
  const std::size_t end = text.find_first_not_of("0123456789;", 2);
  return end != std::string_view::npos && text[end] == 'm' ? end + 1 : 0;
}

}  // namespace

std::string escaped(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  while (!bytes.empty()) append_escaped(text, bytes);
  return text;
}

std::string printable(std::string_view bytes, std::size_t longest) {
  std::string text;
  while (!bytes.empty()) {
    if (text.size() >= longest) return text + "...";
    append_escaped(text, bytes);
  }
  return text;
}

std::string escaped_json(std::string_view json) {
  std::string text;
  text.reserve(json.size());
  while (!json.empty()) {
    const std::size_t length = std::max<std::size_t>(character(json), 1);
    const std::uint32_t code = code_point(json, length);
    if (code == 0x7f || is_obeyed(code)) {
      if (code > 0xffff) {
        text += fmt::format("\\u{:04x}\\u{:04x}", 0xd800 + ((code - 0x10000) >> 10), 0xdc00 + (code & 0x3ff));
      } else {
        text += fmt::format("\\u{:04x}", code);
      }
    } else {
      text += json.substr(0, length);
    }
    json.remove_prefix(length);
  }
  return text;
}

std::string escaped_page(std::string_view text, bool colored) {
  std::string page;
  page.reserve(text.size());
  const auto is_plain = [](char c) { return (c >= 0x20 && c < 0x7f) || c == '\n' || c == '\t'; };
  while (!text.empty()) {
    const auto end = std::find_if_not(text.begin(), text.end(), is_plain);
    page.append(text.begin(), end);
    text.remove_prefix(static_cast<std::size_t>(end - text.begin()));
    if (text.empty()) break;
    if (const std::size_t length = colored ? color(text) : 0; length > 0) {
      page += text.substr(0, length);
      text.remove_prefix(length);
    } else {
      append_escaped(page, text);
    }
  }
  return page;
}

}  // namespace anemone
