// JSON through nlohmann's ordered objects.
#include "anemone/report/json_parts.h"

#include <cmath>

#include "anemone/support/utf8.h"

namespace anemone::report {

std::string dump(const Json& json) {
  return escaped_json(json.dump(2, ' ', false, Json::error_handler_t::replace)) + "\n";
}

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

double thousandths(double value) { return std::round(value * 1000) / 1000; }

Json features(const std::vector<toolchain::FeatureSummary>& list) {
  Json out = Json::array();
  for (const toolchain::FeatureSummary& f : list) {
    Json j{{"name", f.name}, {"kind", f.kind}, {"shape", f.shape}};
    if (!f.dtype.empty()) j["dtype"] = f.dtype;
    if (!f.color.empty()) j["color"] = f.color;
    if (!f.shapes.empty()) j["shapes"] = f.shapes;
    if (!f.description.empty()) j["description"] = f.description;
    out.push_back(std::move(j));
  }
  return out;
}

Json op_counts(const toolchain::OpCounts& counts) {
  return {{"total", counts.total}, {"by_type", Json(counts.by_type)}};
}

Json findings(const std::vector<plan::Finding>& list) {
  Json out = Json::array();
  for (const plan::Finding& f : list) {
    out.push_back({{"code", f.code},
                   {"name", f.name},
                   {"severity", f.severity},
                   {"message", f.message},
                   {"instead", f.instead},
                   {"command", f.command},
                   {"trust", name(f.trust)},
                   {"checked", f.checked},
                   {"cost_us", f.cost_us ? Json(thousandths(*f.cost_us)) : Json(nullptr)},
                   {"without", f.without ? Json{{"how", f.without->how},
                                                {"ops", f.without->ops},
                                                {"ane", f.without->on_ane},
                                                {"planner_ms", thousandths(f.without->planner_ms)}}
                                         : Json(nullptr)},
                   {"ops", f.ops}});
  }
  return out;
}

}  // namespace anemone::report
