// Folding and painting, line by line.
#include "anemone/report/page.h"

#include <algorithm>
#include <array>

#include "anemone/report/words.h"

namespace anemone::report {
namespace {

template <class Line>
std::string each_line(std::string_view page, Line line) {
  std::string out;
  while (!page.empty()) {
    const std::size_t end = std::min(page.find('\n'), page.size());
    out += line(page.substr(0, end));
    if (end < page.size()) out += '\n';
    page.remove_prefix(std::min(page.size(), end + 1));
  }
  return out;
}

bool is_command(std::string_view line) {
  line.remove_prefix(std::min(line.find_first_not_of(" $"), line.size()));
  return line.starts_with("anemone ") || line.starts_with("next: anemone ");
}

/// Where what is cut off continues: at the last column of the line that begins in its left half, else a little in.
std::size_t hanging(std::string_view line, std::size_t width) {
  const std::size_t indent = std::min(line.find_first_not_of(' '), line.size());
  std::size_t column = indent + 2;
  for (std::size_t at = line.find("  ", indent); at != std::string_view::npos; at = line.find("  ", at)) {
    at = line.find_first_not_of(' ', at);
    if (at == std::string_view::npos || columns(line.substr(0, at)) > width / 2) break;
    column = columns(line.substr(0, at));
  }
  // "note: …" and "instead: …" hang under their first word.
  const std::size_t colon = line.find(": ", indent);
  if (column == indent + 2 && colon != std::string_view::npos && colon < indent + 12 &&
      line.substr(indent, colon - indent).find(' ') == std::string_view::npos)
    column = colon + 2;
  return std::min(column, width / 2);
}

/// Verdicts of several words stay in one piece, which is how they are found and painted.
constexpr std::string_view kInOnePiece[] = {"OUT OF TOLERANCE", "NOT FINITE"};
std::size_t end_of_word(std::string_view line, std::size_t word) {
  for (const std::string_view verdict : kInOnePiece) {
    if (line.substr(word).starts_with(verdict)) return word + verdict.size();
  }
  return std::min(line.find(' ', word), line.size());
}

std::string fold_line(std::string_view line, std::size_t width) {
  if (columns(line) <= width || is_command(line) || line.starts_with("   |")) return std::string(line);
  const std::string margin(hanging(line, width), ' ');
  std::string out, row;
  std::size_t at = 0;
  while (at < line.size()) {
    const std::size_t word = std::min(line.find_first_not_of(' ', at), line.size());
    const std::size_t end = end_of_word(line, word);
    const std::string_view piece = line.substr(at, end - at);  // with the spaces before it
    if (!row.empty() && row.find_first_not_of(' ') != std::string::npos && columns(row) + columns(piece) > width) {
      out += row + '\n';
      row = margin + std::string(line.substr(word, end - word));
    } else {
      row += piece;
    }
    at = end;
  }
  row.erase(row.find_last_not_of(' ') + 1);
  return out + row;
}

// Looked at on white and on black: yellow and cyan vanish on the one, blue on the other.
constexpr std::string_view kGood = "\x1b[32m", kBad = "\x1b[1;31m", kLook = "\x1b[1;35m", kAside = "\x1b[1m",
                           kBold = "\x1b[1m", kReset = "\x1b[0m";

struct Mark {
  std::string_view word, color;
};
/// At the end of a line, or before two spaces.
constexpr Mark kVerdicts[] = {
    {"  ok", kGood},          {"  OUT OF TOLERANCE", kBad}, {"  NOT FINITE", kBad}, {"  compatible", kGood},
    {"  incompatible", kBad}, {"  conditional", kLook},     {" worse", kLook},      {" better", kGood}};
/// At the beginning of a line.
constexpr Mark kOpenings[] = {{"verified:", kGood}, {"not verified:", kBad}, {"warning:", kLook}, {"note:", kAside},
                              {"  why:", kLook},    {"  try:", kGood},       {"next:", kGood},    {"  next", kGood},
                              {"missing:", kBad},   {"  missing", kBad}};
/// Words that stand by themselves near the beginning: severities.
constexpr Mark kSeverities[] = {{" error ", kBad}, {" warn ", kLook}, {" info ", kAside}};

/// "  [##..gg]  # engine …": the units of a program from left to right.
std::string paint_strip(std::string_view line) {
  std::string out;
  char last = ' ';
  for (const char c : line) {
    if (c != last) {
      if (last == '#' || last == '.' || last == 'g') out += kReset;
      if (c == '#') out += kGood;
      if (c == '.') out += kLook;
      if (c == 'g') out += kAside;
    }
    out += c;
    last = c;
  }
  return out;
}

std::string paint_line(std::string_view line) {
  const auto painted_at = [&](std::size_t at, std::size_t length, std::string_view color) {
    std::string out(line.substr(0, at));
    return out.append(color).append(line.substr(at, length)).append(kReset).append(line.substr(at + length));
  };
  if (line.starts_with("  [")) {
    const std::size_t end = line.find(']');
    return end == std::string_view::npos
               ? std::string(line)
               : paint_strip(line.substr(0, end)) + std::string(kReset) + std::string(line.substr(end));
  }
  for (const Mark& mark : kOpenings) {
    if (line.starts_with(mark.word)) return painted_at(0, mark.word.size(), mark.color);
  }
  for (const Mark& mark : kSeverities) {
    const std::size_t at = line.find(mark.word);
    if (at != std::string_view::npos && at < 24) return painted_at(at + 1, mark.word.size() - 2, mark.color);
  }
  for (const Mark& mark : kVerdicts) {
    const std::size_t at = line.find(mark.word), after = at + mark.word.size();
    if (at == std::string_view::npos) continue;
    const std::string_view rest = line.substr(after);
    if (rest.empty() || rest.starts_with("  ") || rest.starts_with(",") || rest.starts_with(" ("))
      return painted_at(at, mark.word.size(), mark.color);
  }
  // A heading: a line without indent before indented ones is told by its caller's empty line; bold helps the eye.
  return std::string(line);
}

}  // namespace

std::string folded(std::string_view page, std::size_t width) {
  return each_line(page, [&](std::string_view line) { return fold_line(line, width); });
}

std::string painted(std::string_view page) {
  bool after_empty = false;
  return each_line(page, [&](std::string_view line) {
    const bool heading = after_empty && !line.empty() && line[0] != ' ' && !is_command(line);
    after_empty = line.empty();
    const std::string out = paint_line(line);
    return heading && out == line ? std::string(kBold) + out + std::string(kReset) : out;
  });
}

}  // namespace anemone::report
