// MIL text holds names and strings of foreign files: it goes through the door like everything else.
#include "anemone/report/program.h"

#include "anemone/report/json_parts.h"
#include "anemone/support/utf8.h"

namespace anemone::report {
namespace {

/// Where a character begins at the end of the text that is longer than what is there of it; else the text's size.
std::size_t whole_characters(std::string_view text) {
  for (std::size_t back = 1; back <= 3 && back <= text.size(); ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if (byte < 0x80) break;
    if (byte < 0xc0) continue;
    const std::size_t length = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    return length > back ? text.size() - back : text.size();
  }
  return text.size();
}

}  // namespace

ProgramJson::ProgramJson(std::function<void(std::string_view)> write) : write_(std::move(write)) {
  write_("{\n  \"schema\": \"anemone.print/1\",\n  \"text\": \"");
}

void ProgramJson::write_text(std::string_view whole) {
  const std::string quoted = Json(whole).dump(-1, ' ', false, Json::error_handler_t::replace);
  write_(escaped_json(quoted.substr(1, quoted.size() - 2)));
}

void ProgramJson::text(std::string_view piece) {
  cut_ += piece;
  const std::size_t whole = whole_characters(cut_);
  write_text(std::string_view(cut_).substr(0, whole));
  cut_.erase(0, whole);
}

void ProgramJson::finish() {
  write_text(cut_);
  write_("\"\n}\n");
}

}  // namespace anemone::report
