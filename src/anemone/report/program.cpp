// MIL text holds names and strings of foreign files: it goes through the door like everything else.
#include "anemone/report/program.h"

#include "anemone/report/json_parts.h"

namespace anemone::report {

std::string program_json(const std::string& text) { return dump({{"schema", "anemone.print/1"}, {"text", text}}); }

}  // namespace anemone::report
