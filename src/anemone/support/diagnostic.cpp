// Renders diagnostics, picks exit codes, finds the nearest word.
#include "anemone/support/diagnostic.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "anemone/support/text.h"
#include "anemone/support/utf8.h"

namespace anemone {

int exit_code(Blame blame) {
  switch (blame) {
    case Blame::usage:
      return 2;
    case Blame::input:
      return 3;
    case Blame::environment:
      return 4;
    case Blame::bug:
      return 70;
  }
  return 70;
}

Diagnostic bad_input(ErrorCode code, std::string message, std::string place, std::string help) {
  Diagnostic d;
  d.code = code;
  d.message = std::move(message);
  d.place = std::move(place);
  d.help = std::move(help);
  return d;
}

Diagnostic bad_usage(std::string message, std::string help) {
  Diagnostic d = bad_input(ErrorCode::usage, std::move(message), {}, std::move(help));
  d.blame = Blame::usage;
  return d;
}

Diagnostic bad_environment(ErrorCode code, std::string message, std::string place, std::string help) {
  Diagnostic d = bad_input(code, std::move(message), std::move(place), std::move(help));
  d.blame = Blame::environment;
  return d;
}

Diagnostic own_bug(std::string message, std::string place) {
  Diagnostic d = bad_input(ErrorCode::own_bug, std::move(message), std::move(place),
                           "this is a bug in anemone; please report it with the command and, if possible, the input");
  d.blame = Blame::bug;
  return d;
}

Diagnostic system_error(std::string_view doing, const std::string& path, int error_number) {
  std::string help;
  if (error_number == ENOSPC || error_number == EFBIG || error_number == EDQUOT) {
    help = "free some space or write to another disk";
  }
  return bad_environment(ErrorCode::system_call, fmt::format("cannot {}: {}", doing, std::strerror(error_number)), path,
                         help);
}

namespace {

struct Line {
  std::size_t number, column;  // from 1
  std::string_view text;
};

Line line_at(const SourceText& source, std::size_t offset) {
  const std::string& text = source.text;
  offset = std::min(offset, text.size());
  const std::size_t begin = offset == 0 ? 0 : text.rfind('\n', offset - 1) + 1;  // npos + 1 == 0
  const std::size_t end = std::min(text.find('\n', offset), text.size());
  const auto number =
      static_cast<std::size_t>(std::count(text.begin(), text.begin() + static_cast<long>(begin), '\n')) + 1;
  return {number, offset - begin + 1, std::string_view(text).substr(begin, end - begin)};
}

std::string render_span(const TextSpan& span) {
  const Line line = line_at(*span.source, span.begin);
  constexpr std::size_t kWidth = 110;  // a long line is shown from a little before the caret
  const std::size_t first = line.column > kWidth - 20 ? line.column - 20 : 0;
  const std::string_view shown = line.text.substr(std::min(first, line.text.size()), kWidth);
  std::size_t length = span.end > span.begin ? span.end - span.begin : 1;
  length = std::max<std::size_t>(1, std::min(length, line.text.size() + 1 - std::min(line.column, line.text.size())));
  // The caret stands right as long as nothing in the line is escaped.
  return fmt::format("  --> {}:{}:{}\n   | {}\n   | {}{}\n", escaped(span.source->name), line.number, line.column,
                     escaped_page(shown, false), std::string(line.column - 1 - first, ' '),
                     std::string(std::min(length, kWidth), '^'));
}

}  // namespace

std::string render(const Diagnostic& d) {
  const char* word = d.severity == Severity::error ? "error" : d.severity == Severity::warning ? "warning" : "note";
  const std::string message = escaped(d.message);
  std::string out = d.code == ErrorCode::none ? fmt::format("{}: {}\n", word, message)
                                              : fmt::format("{}[{}]: {}\n", word, text_of(d.code), message);
  if (d.span.source) {
    out += render_span(d.span);
  } else if (!d.place.empty()) {
    out += fmt::format("  --> {}\n", escaped(d.place));
  }
  for (const std::string& note : d.notes) out += fmt::format("   = note: {}\n", escaped(note));
  if (!d.help.empty()) out += fmt::format("   = help: {}\n", escaped(d.help));
  return out;
}

std::string render(const Diagnostics& diagnostics) {
  std::string out;
  for (const Diagnostic& d : diagnostics) out += render(d);
  return out;
}

int exit_code(const Diagnostics& diagnostics) {
  for (const Diagnostic& d : diagnostics) {
    if (d.severity == Severity::error) return exit_code(d.blame);
  }
  return 70;
}

std::string_view closest(std::string_view said, std::span<const std::string_view> candidates) {
  const std::string word = bare_word(said);
  std::string_view best;
  // Half of a short word is another word; of a long one, three letters may be wrong.
  std::size_t best_distance = std::min<std::size_t>(word.size() / 4 + 2, 4);
  for (std::string_view written : candidates) {
    const std::string candidate = bare_word(written);
    // A word that goes on, or lacks its end: "retinaface" of "retinaface-mobilenet0.25".
    std::size_t shared = 0;
    while (shared < std::min(word.size(), candidate.size()) && word[shared] == candidate[shared]) ++shared;
    if (shared >= 4 && (shared == word.size() || shared == candidate.size() || 4 * shared >= 3 * word.size())) {
      if (best_distance > 1 || best.empty()) best = written, best_distance = 1;
    }
    std::vector<std::size_t> row(candidate.size() + 1);
    for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= word.size(); ++i) {
      std::size_t diagonal = row[0]++;
      for (std::size_t j = 1; j <= candidate.size(); ++j) {
        const std::size_t substituted = diagonal + (word[i - 1] == candidate[j - 1] ? 0 : 1);
        diagonal = row[j];
        row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
      }
    }
    if (row.back() < best_distance) {
      best_distance = row.back();
      best = written;
    }
  }
  return best;
}

std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates,
                         std::string_view otherwise) {
  const std::string_view near = closest(word, candidates);
  return near.empty() ? std::string(otherwise) : fmt::format("did you mean '{}'?", near);
}

}  // namespace anemone
