// Errors as JSON. Names inside broken files need not be UTF-8; they must not make the error itself fail.
#include "anemone/report/diagnostics.h"

#include "anemone/report/json_parts.h"

namespace anemone::report {

std::string errors_json(const Diagnostics& diagnostics, int exit_code) {
  constexpr std::string_view kWords[] = {"note", "warning", "error"};
  Json list = Json::array();
  for (const Diagnostic& d : diagnostics) {
    list.push_back({{"severity", kWords[static_cast<std::size_t>(d.severity)]},
                    {"code", text_of(d.code)},
                    {"message", d.message},
                    {"place", d.span.source ? d.span.source->name : d.place},
                    {"notes", d.notes},
                    {"help", d.help}});
  }
  return dump({{"schema", "anemone.error/1"}, {"exit_code", exit_code}, {"diagnostics", list}});
}

}  // namespace anemone::report
