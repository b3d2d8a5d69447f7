// Two models side by side, output by output.
#include "anemone/report/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "anemone/report/json_parts.h"
#include "anemone/report/words.h"

namespace anemone::report {
namespace {

std::string decibel(double value) { return std::isfinite(value) ? fmt::format("{:.1f}", value) : "inf"; }

}  // namespace

std::string verify_text(const VerifyResult& r) {
  std::string out = fmt::format("{} against {}\n{}\n", r.candidate, r.reference, r.basis);
  std::size_t width = 6;
  for (const OutputComparison& o : r.outputs) width = std::max(width, o.name.size());
  out += fmt::format("  {:<{}} {:>11} {:>11} {:>11} {:>9}\n", "output", width, "largest", "max error", "mean error",
                     "PSNR dB");
  for (const OutputComparison& o : r.outputs) {
    out += fmt::format("  {:<{}} {:>11.4g} {:>11.3g} {:>11.3g} {:>9}  {}\n", o.name, width, o.scale, o.max_abs,
                       o.mean_abs, decibel(o.psnr_db), o.pass ? "ok" : "OUT OF TOLERANCE");
  }
  if (r.landmarks) {
    out += fmt::format("  {} landmarks: mean {:.4f} px (limit {}), max {:.4f} px (limit {}) of the crop",
                       r.landmarks->points, r.landmarks->mean_px, r.limit_mean_px, r.landmarks->max_px, r.limit_max_px);
    if (r.landmarks->nme_percent) out += fmt::format(", NME {:.4f} %", *r.landmarks->nme_percent);
    out += r.landmarks->pass ? "  ok\n" : "  OUT OF TOLERANCE\n";
  }
  for (const std::string& note : r.notes) out += fmt::format("note: {}\n", note);
  return out + (r.pass ? "verified: the numbers agree\n" : "not verified: the numbers differ\n");
}

std::string verify_json(const VerifyResult& r) {
  Json outputs = Json::array();
  for (const OutputComparison& o : r.outputs) {
    outputs.push_back({{"name", o.name},
                       {"max_abs", number(o.max_abs)},
                       {"mean_abs", number(o.mean_abs)},
                       {"psnr_db", number(o.psnr_db)},
                       {"scale", number(o.scale)},
                       {"pass", o.pass}});
  }
  Json out{{"schema", "anemone.verify/1"}, {"candidate", r.candidate}, {"reference", r.reference}, {"basis", r.basis},
           {"inputs", r.inputs},           {"outputs", outputs}};
  if (r.landmarks) {
    out["landmarks"] = {{"points", r.landmarks->points},
                        {"mean_px", number(r.landmarks->mean_px)},
                        {"max_px", number(r.landmarks->max_px)},
                        {"nme_percent", r.landmarks->nme_percent ? number(*r.landmarks->nme_percent) : Json(nullptr)},
                        {"pass", r.landmarks->pass}};
  }
  out["limits"] = {{"mean_px", r.limit_mean_px}, {"max_px", r.limit_max_px}, {"psnr_db", r.limit_psnr_db}};
  out["notes"] = r.notes;
  out["pass"] = r.pass;
  return dump(out);
}

}  // namespace anemone::report
