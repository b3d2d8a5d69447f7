// Numbers and lists as people read them.
#include "anemone/report/analysis_words.h"

#include <fmt/format.h>

#include <algorithm>

namespace anemone::report {

std::string grouped(std::int64_t n) {
  std::string digits = std::to_string(n);
  const std::size_t first = n < 0 ? 1 : 0;
  for (std::size_t at = digits.size(); at > first + 3; at -= 3) digits.insert(at - 3, 1, ',');
  return digits;
}

std::string short_count(std::int64_t n) {
  const double value = static_cast<double>(n);
  if (n >= 1'000'000'000) return fmt::format("{:.2f} G", value / 1e9);
  if (n >= 1'000'000) return fmt::format("{:.2f} M", value / 1e6);
  if (n >= 1000) return fmt::format("{:.1f} k", value / 1e3);
  return std::to_string(n);
}

std::string mebibytes(std::int64_t bytes) {
  const double value = static_cast<double>(bytes);
  if (bytes >= 104'858) return fmt::format("{:.1f} MB", value / 1048576);
  if (bytes >= 1024) return fmt::format("{:.1f} kB", value / 1024);
  return fmt::format("{} B", bytes);
}

std::string joined(const std::vector<std::string>& names, std::size_t most) {
  std::string out;
  for (std::size_t i = 0; i < std::min(most, names.size()); ++i) out += fmt::format("{}{}", i ? ", " : "", names[i]);
  if (names.size() > most) out += fmt::format(" and {} more", names.size() - most);
  return out;
}

std::string shape_words(const FeatureSummary& f) {
  std::string sizes;
  for (std::size_t i = 0; i < f.shape.size(); ++i)
    sizes += fmt::format("{}{}", i ? "x" : "", f.shape[i] == kUnknown ? "?" : std::to_string(f.shape[i]));
  if (f.kind == "image") return fmt::format("{} image {}", f.color, sizes);
  if (f.kind == "array" || f.kind == "state")
    return fmt::format("{} {}", f.dtype, sizes.empty() ? "of any size" : sizes);
  return f.kind;
}

std::size_t columns(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string fitted(const std::string& text, std::size_t width) {
  if (columns(text) <= width || width == 0) return text;
  std::size_t at = 0, seen = 0;
  while (at < text.size()) {
    const bool starts = (static_cast<unsigned char>(text[at]) & 0xc0) != 0x80;
    if (starts && seen++ == width - 1) break;
    ++at;
  }
  return text.substr(0, at) + "…";
}

std::string wrapped(const std::string& text, std::size_t indent, std::size_t width) {
  std::string out, line;
  std::size_t room = width > indent ? width - indent : 1;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    const std::string word = text.substr(at, end - at);
    if (!line.empty() && columns(line) + 1 + columns(word) > room) {
      out += line + "\n" + std::string(indent, ' ');
      line.clear();
    }
    line += (line.empty() ? "" : " ") + word;
    at = end + 1;
  }
  return out + line;
}

}  // namespace anemone::report
