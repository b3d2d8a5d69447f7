// Numbers and lists as people read them.
#include "anemone/report/words.h"

#include <fmt/format.h>

#include <algorithm>

#include "anemone/support/utf8.h"

namespace anemone::report {

std::string short_count(std::int64_t n) {
  const double value = static_cast<double>(n);
  if (n >= 1'000'000'000) return fmt::format("{:.2f} G", value / 1e9);
  if (n >= 1'000'000) return fmt::format("{:.2f} M", value / 1e6);
  if (n >= 1000) return fmt::format("{:.1f} k", value / 1e3);
  return std::to_string(n);
}

std::string megabytes(std::uint64_t bytes) {
  if (bytes < 100'000) return fmt::format("{:.1f} kB", static_cast<double>(bytes) / 1e3);
  return fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6);
}

std::string joined(const std::vector<std::string>& names, std::size_t most) {
  std::string out;
  for (std::size_t i = 0; i < std::min(most, names.size()); ++i)
    out += fmt::format("{}{}", i ? ", " : "", escaped(names[i]));
  if (names.size() > most) out += fmt::format(" and {} more", names.size() - most);
  return out;
}

std::string milliseconds(double ms) {
  const int digits = ms >= 1 ? 1 : ms == 0 || ms >= 0.005 ? 2 : ms >= 0.0005 ? 3 : 4;
  return fmt::format("{:.{}f}", ms, digits);
}

std::string milliseconds(double low, double high) { return milliseconds(low) + " to " + milliseconds(high); }

std::string extents(const Dims& d) {
  std::string out;
  for (std::size_t i = 0; i < d.size(); ++i)
    out += (i ? "x" : "") + (d[i] == kUnknown ? std::string("?") : std::to_string(d[i]));
  return out.empty() ? "scalar" : out;
}

std::string shape_words(const toolchain::FeatureSummary& f) {
  std::string sizes;
  for (std::size_t i = 0; i < f.shape.size(); ++i)
    sizes += fmt::format("{}{}", i ? "x" : "", f.shape[i] == kUnknown ? "?" : std::to_string(f.shape[i]));
  if (f.kind == "image") return fmt::format("{} image {}", f.color, sizes);
  if (f.kind == "array" || f.kind == "state")
    return fmt::format("{} {}", f.dtype, sizes.empty() ? "of any size" : sizes);
  return f.kind;
}

std::string feature_words(const toolchain::FeatureSummary& f) {
  // An extent that is open says less than the shapes that it can have.
  const bool open = std::find(f.shape.begin(), f.shape.end(), kUnknown) != f.shape.end();
  std::string sizes = open && !f.shapes.empty() ? std::string() : extents(f.shape);
  for (const Dims& s : f.shapes) sizes += s == f.shape ? "" : (sizes.empty() ? "" : ", ") + extents(s);
  if (f.kind == "image") return fmt::format("{} (image {}, {} pixels)", escaped(f.name), f.color, sizes);
  if (f.kind == "array")
    return fmt::format("{} ({} {})", escaped(f.name), f.dtype, f.shape.empty() ? "of any size" : sizes);
  return fmt::format("{} ({})", escaped(f.name), f.kind);
}

std::string labelled(std::string_view label, const std::vector<std::string>& items, std::size_t most) {
  std::string out;
  for (std::size_t i = 0; i < std::min(items.size(), most); ++i)
    out += fmt::format("  {:<9} {}\n", i == 0 ? label : "", items[i]);
  if (items.size() > most) out += fmt::format("  {:<9} … and {} more\n", "", items.size() - most);
  return out;
}

std::size_t columns(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string fitted(const std::string& given, std::size_t width) {
  std::string text = escaped(given);
  if (columns(text) <= width || width == 0) return text;
  std::size_t at = 0, seen = 0;
  while (at < text.size()) {
    const bool starts = (static_cast<unsigned char>(text[at]) & 0xc0) != 0x80;
    if (starts && seen++ == width - 1) break;
    ++at;
  }
  return text.substr(0, at) + "…";
}

std::string wrapped(std::string_view given, std::size_t indent, std::size_t width) {
  const std::string text = escaped(given);
  std::string out, line;
  std::size_t room = width > indent ? width - indent : 1;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    const std::string word(text.substr(at, end - at));
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
