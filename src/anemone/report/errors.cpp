// Errors by number.
#include "anemone/report/errors.h"

#include <fmt/format.h>

#include "anemone/report/json_parts.h"

namespace anemone::report {
namespace {

Json as_json(const ErrorRow& r) {
  return {{"code", text_of(r.code)}, {"name", r.name}, {"what", r.meaning}, {"instead", r.remedy}};
}

std::string_view title_of(int hundred) {
  constexpr std::string_view kTitles[] = {"The program",
                                          "Files",
                                          "Programs and their text",
                                          "Core ML",
                                          "ONNX",
                                          "Checkpoints, arrays",
                                          "Networks of checkpoints",
                                          "Execution",
                                          "The verbs"};
  return hundred < static_cast<int>(std::size(kTitles)) ? kTitles[hundred] : "Others";
}

}  // namespace

std::string errors_text(std::span<const ErrorRow> rows) {
  std::string out;
  for (const ErrorRow& r : rows) out += fmt::format("{}  {:<26} {}\n", text_of(r.code), r.name, r.meaning);
  return out + fmt::format("{} errors; 'anemone explain CODE' says what to do\n", rows.size());
}

std::string errors_json(std::span<const ErrorRow> rows) {
  Json list = Json::array();
  for (const ErrorRow& r : rows) list.push_back(as_json(r));
  return dump({{"schema", "anemone.errors/1"}, {"errors", list}});
}

std::string errors_markdown(std::span<const ErrorRow> rows) {
  std::string out =
      "<!-- Made by `anemone errors --markdown`; a test compares. Do not edit. -->\n\n# Errors\n\n"
      "Every message names the file, the place and the numbers; here is what each code means in general. The exit code\n"
      "says who is to blame: 2 the command line, 3 the input, 4 the environment, 70 anemone itself.\n";
  int hundred = -1;
  for (const ErrorRow& r : rows) {
    const int at = static_cast<int>(r.code) / 100;
    if (at != hundred)
      out += fmt::format("\n## {}\n\n| code | name | what it means | what to do |\n|---|---|---|---|\n", title_of(at));
    hundred = at;
    out += fmt::format("| {} | {} | {} | {} |\n", text_of(r.code), r.name, r.meaning, r.remedy);
  }
  return out;
}

std::string error_text(const ErrorRow& r) {
  return fmt::format("{} {}\n\n  what      {}\n  instead   {}\n", text_of(r.code), r.name, r.meaning, r.remedy);
}

std::string error_json(const ErrorRow& r) {
  Json out{{"schema", "anemone.explain/1"}};
  out.update(as_json(r));
  return dump(out);
}

}  // namespace anemone::report
