// Two models side by side, output by output.
#include "anemone/report/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "anemone/report/json_parts.h"
#include "anemone/report/words.h"
#include "anemone/support/utf8.h"

namespace anemone::report {
namespace {

using toolchain::OutputComparison;

std::string decibel(const OutputComparison& o) {
  if (o.values == 0 || o.verdict == "NOT FINITE") return "-";
  return std::isfinite(o.psnr_db) ? fmt::format("{:.1f}", o.psnr_db) : "identical";
}

}  // namespace

std::string verify_text(const toolchain::VerifyResult& r) {
  std::string out = fmt::format("{} against {}\n{}\n", r.candidate, r.reference, r.basis);
  std::size_t width = 6;
  for (const OutputComparison& o : r.outputs) width = std::max(width, o.name.size());
  out += fmt::format("  {:<{}} {:>11} {:>11} {:>11} {:>9}\n", "output", width, "largest", "max error", "mean error",
                     "PSNR dB");
  for (const OutputComparison& o : r.outputs) {
    out += fmt::format("  {:<{}} {:>11.4g} {:>11.3g} {:>11.3g} {:>9}  {}\n", escaped(o.name), width, o.scale, o.max_abs,
                       o.mean_abs, decibel(o), o.verdict);
    if (o.not_finite + o.not_finite_reference > 0)
      out += fmt::format("  {:<{}} not finite: {} values of the candidate, {} of the reference\n", "", width,
                         o.not_finite, o.not_finite_reference);
  }
  if (r.landmarks) {
    const std::int64_t all = r.landmarks->points * static_cast<std::int64_t>(r.inputs);
    if (r.landmarks->left_out == all) {
      out += fmt::format("  {} landmarks: not comparable, none is finite", r.landmarks->points);
    } else {
      out +=
          fmt::format("  {} landmarks: mean {:.4f} px (limit {}), max {:.4f} px (limit {}) of the crop",
                      r.landmarks->points, r.landmarks->mean_px, r.limit_mean_px, r.landmarks->max_px, r.limit_max_px);
      if (r.landmarks->nme_percent) out += fmt::format(", NME {:.4f} %", *r.landmarks->nme_percent);
      if (r.landmarks->left_out > 0) out += fmt::format(", {} of {} points left out", r.landmarks->left_out, all);
    }
    out += r.landmarks->pass ? "  ok\n" : "  OUT OF TOLERANCE\n";
  }
  for (const std::string& note : r.notes) out += fmt::format("note: {}\n", note);
  return out + (r.pass ? "verified: the numbers agree\n" : fmt::format("not verified: {}\n", r.reason));
}

std::string verify_json(const toolchain::VerifyResult& r) {
  Json outputs = Json::array();
  for (const OutputComparison& o : r.outputs) {
    outputs.push_back({{"name", o.name},
                       {"max_abs", number(o.max_abs)},
                       {"mean_abs", number(o.mean_abs)},
                       {"psnr_db", number(o.psnr_db)},
                       {"identical", o.values > 0 && o.max_abs == 0 && o.pass && !o.reordered},
                       {"scale", number(o.scale)},
                       {"non_finite", {{"candidate", o.not_finite}, {"reference", o.not_finite_reference}}},
                       {"constant", o.constant},
                       {"reacts", o.reacts},
                       {"reordered", o.reordered},
                       {"verdict", o.verdict},
                       {"pass", o.pass}});
  }
  Json out{{"schema", "anemone.verify/1"}, {"candidate", r.candidate}, {"reference", r.reference}, {"basis", r.basis},
           {"inputs", r.inputs},           {"outputs", outputs}};
  if (r.landmarks) {
    const bool some = r.landmarks->left_out < r.landmarks->points * static_cast<std::int64_t>(r.inputs);
    out["landmarks"] = {{"points", r.landmarks->points},
                        {"mean_px", some ? number(r.landmarks->mean_px) : Json(nullptr)},
                        {"max_px", some ? number(r.landmarks->max_px) : Json(nullptr)},
                        {"left_out", r.landmarks->left_out},
                        {"nme_percent", r.landmarks->nme_percent ? number(*r.landmarks->nme_percent) : Json(nullptr)},
                        {"pass", r.landmarks->pass}};
  }
  out["limits"] = {{"mean_px", r.limit_mean_px}, {"max_px", r.limit_max_px}, {"psnr_db", r.limit_psnr_db}};
  out["notes"] = r.notes;
  out["reason"] = r.reason;
  out["pass"] = r.pass;
  return dump(out);
}

}  // namespace anemone::report
