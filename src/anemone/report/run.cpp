// What came out of an execution.
#include "anemone/report/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "anemone/report/json_parts.h"
#include "anemone/report/words.h"
#include "anemone/support/text.h"
#include "anemone/support/utf8.h"

namespace anemone::report {
using toolchain::RunOutput;

namespace {

// Nothing of a tensor that holds no number.
std::string figure(const RunOutput& o, double value) {
  const std::int64_t values = std::accumulate(o.shape.begin(), o.shape.end(), std::int64_t{1}, std::multiplies<>());
  return o.not_finite >= values ? "-" : fmt::format("{:.4g}", value);
}

}  // namespace

std::string run_text(const toolchain::RunResult& r) {
  std::string out;
  std::size_t width = 6;
  for (const RunOutput& o : r.outputs) width = std::max(width, o.name.size());
  out += fmt::format("{:<{}}  {:<5} {:<12} {:>9} {:>9} {:>9}  file\n", "output", width, "type", "shape", "min", "mean",
                     "max");
  for (const RunOutput& o : r.outputs) {
    out += fmt::format("{:<{}}  {:<5} {:<12} {:>9} {:>9} {:>9}  {}\n", escaped(o.name), width, o.dtype,
                       extents(o.shape), figure(o, o.min), figure(o, o.mean), figure(o, o.max), o.file);
  }
  if (!r.label.empty()) {
    out += fmt::format("label: {}\n", r.label);
    for (std::size_t i = 0; i < std::min<std::size_t>(5, r.probabilities.size()); ++i)
      out += fmt::format("  {:>8.4f}  {}\n", r.probabilities[i].second, r.probabilities[i].first);
  }
  for (const RunOutput& o : r.outputs) {
    if (o.not_finite > 0)
      out += fmt::format("warning: {} of '{}' {} NaN or infinite; its figures leave {} out\n",
                         counted(o.not_finite, "value"), o.name, o.not_finite == 1 ? "is" : "are",
                         o.not_finite == 1 ? "it" : "them");
  }
  for (const std::string& note : r.notes) out += fmt::format("note: {}\n", note);
  return out + fmt::format("ran {} in {:.3f} s; outputs are in {}\n", r.model, r.seconds, r.folder);
}

std::string run_json(const toolchain::RunResult& r) {
  Json outputs = Json::array();
  for (const RunOutput& o : r.outputs) {
    outputs.push_back({{"name", o.name},
                       {"shape", o.shape},
                       {"dtype", o.dtype},
                       {"file", o.file},
                       {"min", number(o.min)},
                       {"max", number(o.max)},
                       {"mean", number(o.mean)},
                       {"not_finite", o.not_finite}});
  }
  Json out{{"schema", "anemone.run/1"}, {"model", r.model}, {"folder", r.folder}, {"outputs", outputs}};
  if (!r.label.empty()) {
    out["label"] = r.label;
    Json probabilities = Json::object();
    for (const auto& [label, value] : r.probabilities) probabilities[label] = number(value);
    out["probabilities"] = probabilities;
  }
  out["notes"] = r.notes;
  out["seconds"] = r.seconds;
  return dump(out);
}

}  // namespace anemone::report
