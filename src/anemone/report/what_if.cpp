// A table of alternatives, each beside the model as it is.
#include "anemone/report/what_if.h"

#include <fmt/format.h>

#include "anemone/report/json_parts.h"
#include "anemone/report/words.h"
#include "anemone/support/utf8.h"

namespace anemone::report {
using toolchain::Alternative;

std::string what_if_text(const std::vector<Alternative>& alternatives) {
  std::string out = fmt::format("{:<18} {:>9} {:>8} {:>10} {:>7}  {:<12} {}\n", "what if", "on ANE", "segments",
                                "planner ms", "", "latency ms", "evidence");
  const double before = alternatives.front().planner_ms;
  for (const Alternative& a : alternatives) {
    if (!a.problem.empty()) {
      out += fmt::format("{:<18} not possible: {}\n", escaped(a.what), escaped(a.problem));
      continue;
    }
    out += fmt::format("{:<18} {:>9} {:>8} {:>10.2f} {:>+7.2f}  {:<12} {}\n", escaped(a.what),
                       fmt::format("{}/{}", a.on_ane, a.ops), a.segments, a.planner_ms, a.planner_ms - before,
                       a.known ? milliseconds(a.low_ms, a.high_ms) : "unknown", a.evidence);
  }
  return out + "predictions from rules and cost models, not measurements\n";
}

std::string what_if_json(const std::vector<Alternative>& alternatives) {
  Json list = Json::array();
  for (const Alternative& a : alternatives) {
    Json one{{"what", a.what}, {"possible", a.problem.empty()}, {"problem", a.problem}};
    if (a.problem.empty()) {
      one["ops"] = {{"total", a.ops}, {"ane", a.on_ane}};
      one["segments"] = a.segments;
      one["planner_ms"] = thousandths(a.planner_ms);
      one["latency_ms"] = {{"low", thousandths(a.low_ms)}, {"high", thousandths(a.high_ms)}};
      one["latency_known"] = a.known;
      one["evidence"] = a.evidence;
    }
    list.push_back(std::move(one));
  }
  return dump({{"schema", "anemone.what-if/1"}, {"prediction", true}, {"alternatives", list}});
}

}  // namespace anemone::report
