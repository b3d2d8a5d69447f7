// What came out of an execution.
#include "anemone/report/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "anemone/report/json_parts.h"
#include "anemone/report/words.h"

namespace anemone::report {

std::string run_text(const RunResult& r) {
  std::string out;
  std::size_t width = 6;
  for (const RunOutput& o : r.outputs) width = std::max(width, o.name.size());
  out += fmt::format("{:<{}}  {:<8} {:<18} {:>11} {:>11} {:>11}  file\n", "output", width, "type", "shape", "min",
                     "mean", "max");
  for (const RunOutput& o : r.outputs) {
    out += fmt::format("{:<{}}  {:<8} {:<18} {:>11.4g} {:>11.4g} {:>11.4g}  {}\n", o.name, width, o.dtype,
                       extents(o.shape), o.min, o.mean, o.max, o.file);
  }
  for (const std::string& note : r.notes) out += fmt::format("note: {}\n", note);
  return out + fmt::format("ran {} in {:.3f} s; outputs are in {}\n", r.model, r.seconds, r.folder);
}

std::string run_json(const RunResult& r) {
  Json outputs = Json::array();
  for (const RunOutput& o : r.outputs) {
    outputs.push_back({{"name", o.name},
                       {"shape", o.shape},
                       {"dtype", o.dtype},
                       {"file", o.file},
                       {"min", number(o.min)},
                       {"max", number(o.max)},
                       {"mean", number(o.mean)}});
  }
  return dump({{"schema", "anemone.run/1"},
               {"model", r.model},
               {"folder", r.folder},
               {"outputs", outputs},
               {"notes", r.notes},
               {"seconds", r.seconds}});
}

}  // namespace anemone::report
