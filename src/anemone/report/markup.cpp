// Escaping and colours.
#include "anemone/report/markup.h"

namespace anemone::report {

std::string as_markup(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += static_cast<unsigned char>(c) < 32 ? ' ' : c;
    }
  }
  return out;
}

std::string_view color(plan::Unit unit) {
  return unit == plan::Unit::ane ? "#2f7ed8" : unit == plan::Unit::cpu ? "#d9822b" : "#7b4fb5";
}

}  // namespace anemone::report
