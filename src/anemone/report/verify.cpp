// Two models side by side, output by output.
#include "anemone/report/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "anemone/report/json_parts.h"
#include "anemone/report/words.h"
#include "anemone/support/text.h"
#include "anemone/support/utf8.h"

namespace anemone::report {
namespace {

using toolchain::OutputComparison;

std::string decibel(const OutputComparison& o) {
  if (!o.finite || o.values == 0 || o.verdict == "NOT FINITE") return "-";
  return std::isfinite(o.psnr_db) ? fmt::format("{:.1f}", o.psnr_db) : "identical";
}

// The headline of a landmark network, and what it rests on.
std::string landmark_lines(const toolchain::VerifyResult& r) {
  const toolchain::LandmarkComparison& l = *r.landmarks;
  if (l.inputs == 0) {
    return l.left_out > 0
               ? fmt::format("  {}: not comparable, {} are not finite\n", counted(l.points, "landmark"), l.left_out)
               : fmt::format("  {}: up to {:.4f} px apart, on inputs without a face: not judged\n",
                             counted(l.points, "landmark"), l.other_max_px);
  }
  if (l.inputs_without_answer == l.inputs)
    return fmt::format("  {}: not comparable, {}\n", counted(l.points, "landmark"),
                       l.undetermined > 0 ? "the reference does not determine them" : "none is finite");
  std::string out =
      fmt::format("  {}: mean {:.4f} px (limit {}), max {:.4f} px (limit {})  {}\n", counted(l.points, "landmark"),
                  l.mean_px, r.limit_mean_px, l.max_px, r.limit_max_px, l.pass ? "ok" : "OUT OF TOLERANCE");
  if (l.nme_percent) out += fmt::format("    NME {:.4f} %, of the distance of the outer eye corners\n", *l.nme_percent);
  if (l.truth) {
    const toolchain::TruthComparison& t = *l.truth;
    out += fmt::format("    ground truth, {} of {}: NME {:.4f} %, the reference's {:.4f} %",
                       counted(static_cast<std::int64_t>(t.faces), "face"), t.scheme, t.nme_percent,
                       t.reference_nme_percent);
    if (t.nme_change_percent)
      out += fmt::format("; change {:+.3f} % (limit {} %)", *t.nme_change_percent, t.limit_change_percent);
    out += t.pass ? "  ok\n" : "  OUT OF TOLERANCE\n";
    if (t.missed > 0)
      out += fmt::format("    {} of the ground truth are on no input\n",
                         counted(static_cast<std::int64_t>(t.missed), "face"));
  }
  if (r.inputs > 1) out += fmt::format("    farthest: point {} of {}\n", l.worst_point, l.worst_input);
  if (l.left_out > 0) out += fmt::format("    left out: {} that are not finite\n", counted(l.left_out, "point"));
  if (l.undetermined > 0)
    out += fmt::format(
        "    left out: {} of {} that the reference does not determine: half a grey level moves them by "
        "more than {} px\n",
        l.undetermined, l.points * l.inputs, r.limit_max_px / 4);
  if (l.inputs_not_judged > 0)
    out += fmt::format("    {} without a face: up to {:.4f} px apart, not judged\n",
                       counted(l.inputs_not_judged, "input"), l.other_max_px);
  return out;
}

// "12.3", "0.049", "0.0000021": percent of a range.
std::string percent(double part) { return std::isfinite(part) ? fmt::format("{:.3g}", 100 * part) : "not finite"; }

std::string layer_lines(const toolchain::Layers& layers, std::size_t most) {
  std::string out = fmt::format("inside, on {}: {} of {} are in both; the median operation adds {} % of its range\n",
                                escaped(layers.input), layers.ranked.size(),
                                counted(static_cast<std::int64_t>(layers.values), "value"), percent(layers.usual));
  if (const auto& first = layers.first) {
    out += fmt::format("  the error first jumps at '{}' ({}): fed the reference's numbers it adds {} %\n",
                       escaped(first->name), first->type, percent(first->local_relative));
    if (!first->origin.empty()) out += fmt::format("    {}\n", escaped(first->origin));
  } else if (!layers.ranked.empty()) {
    out += "  no operation adds much more than the others\n";
  }
  const std::size_t shown = std::min(most, layers.ranked.size());
  if (shown == 0) return out;
  std::size_t types = 9;
  for (std::size_t i = 0; i < shown; ++i) types = std::max(types, layers.ranked[i].type.size());
  out += fmt::format("  {:>10}  {:>11}  {:>10}  {:>10}  {:<{}}  value\n", "adds %", "inherits %", "max error",
                     "mean error", "operation", types);
  for (std::size_t i = 0; i < shown; ++i) {
    const toolchain::LayerError& l = layers.ranked[i];
    out += fmt::format("  {:>10}  {:>11}  {:>10.3g}  {:>10.3g}  {:<{}}  {}{}\n", percent(l.local_relative),
                       percent(l.inherited_relative), l.max_abs, l.mean_abs, l.type, types, escaped(l.name),
                       l.jump     ? "  jumps"
                       : l.undone ? "  undone by what follows"
                                  : "");
  }
  if (shown < layers.ranked.size()) out += fmt::format("  … and {} more\n", layers.ranked.size() - shown);
  return out;
}

Json layer(const toolchain::LayerError& l) {
  return {{"name", l.name},
          {"reference_name", l.reference_name},
          {"type", l.type},
          {"origin", l.origin},
          {"shape", l.shape},
          {"place", l.place},
          {"operations", l.operations},
          {"max_abs", number(l.max_abs)},
          {"mean_abs", number(l.mean_abs)},
          {"relative", number(l.relative)},
          {"local_max_abs", number(l.local_max_abs)},
          {"local_mean_abs", number(l.local_mean_abs)},
          {"local_relative", number(l.local_relative)},
          {"inherited_relative", number(l.inherited_relative)},
          {"finite", l.local_finite},
          {"undone", l.undone},
          {"jump", l.jump}};
}

Json saved(const toolchain::VerifyResult& r) {
  Json files = Json::array();
  for (const toolchain::SavedArray& s : r.saved) {
    files.push_back({{"file", s.file},
                     {"what", s.what},
                     {"side", s.side},
                     {"name", s.name},
                     {"input", s.input},
                     {"dtype", s.dtype},
                     {"shape", s.shape}});
  }
  return files;
}

}  // namespace

std::string saved_index_json(const toolchain::VerifyResult& r) {
  return dump({{"schema", "anemone.verify-saved/1"},
               {"candidate", r.candidate},
               {"reference", r.reference},
               {"basis", r.basis},
               {"reason", r.reason},
               {"files", saved(r)}});
}

std::string verify_text(const toolchain::VerifyResult& r, std::size_t most_layers) {
  std::string out = fmt::format("{} against {}\n{}\n", r.candidate, r.reference, r.basis);
  if (r.landmarks) out += landmark_lines(r);
  std::size_t width = 6;
  for (const OutputComparison& o : r.outputs) width = std::max(width, o.name.size());
  out += fmt::format("  {:<{}} {:>9} {:>9} {:>10} {:>8} {:>9} {:>8}\n", "output", width, "largest", "max error",
                     "mean error", "range %", "PSNR dB", "cosine");
  for (const OutputComparison& o : r.outputs) {
    out += o.finite
               ? fmt::format("  {:<{}} {:>9.4g} {:>9.3g} {:>10.3g} {:>8} {:>9} {:>8.6f}  {}\n", escaped(o.name), width,
                             o.scale, o.max_abs, o.mean_abs, percent(o.relative), decibel(o), o.cosine, o.verdict)
               : fmt::format("  {:<{}} {:>9} {:>9} {:>10} {:>8} {:>9} {:>8}  {}\n", escaped(o.name), width, "-", "-",
                             "-", "-", decibel(o), "-", o.verdict);
    if (!o.pass && r.inputs > 1) out += fmt::format("  {:<{}} worst: {}\n", "", width, o.worst_input);
    if (o.not_finite + o.not_finite_reference > 0)
      out += fmt::format("  {:<{}} not finite: {} values of the candidate, {} of the reference\n", "", width,
                         o.not_finite, o.not_finite_reference);
  }
  if (r.layers) out += layer_lines(*r.layers, most_layers);
  for (const std::string& note : r.notes) out += fmt::format("note: {}\n", note);
  if (r.pass) return out + "verified: the numbers agree\n";
  out += fmt::format("not verified: {}\n", r.reason);
  for (const std::string& cause : r.causes) out += fmt::format("  why: {}\n", cause);
  if (!r.next.empty()) out += fmt::format("  try: {}\n", r.next);
  if (!r.saved.empty())
    out +=
        fmt::format("  saved: {}, listed in index.json\n", counted(static_cast<std::int64_t>(r.saved.size()), "array"));
  return out;
}

std::string verify_json(const toolchain::VerifyResult& r, std::size_t most_layers) {
  Json outputs = Json::array();
  for (const OutputComparison& o : r.outputs) {
    const auto figure = [&](double value) { return o.finite ? number(value) : Json(nullptr); };
    outputs.push_back({{"name", o.name},
                       {"max_abs", figure(o.max_abs)},
                       {"mean_abs", figure(o.mean_abs)},
                       {"relative", figure(o.relative)},
                       {"psnr_db", figure(o.psnr_db)},
                       {"cosine", figure(o.cosine)},
                       {"identical", o.values > 0 && o.max_abs == 0 && o.pass && !o.reordered},
                       {"scale", figure(o.scale)},
                       {"range", figure(o.range)},
                       {"non_finite", {{"candidate", o.not_finite}, {"reference", o.not_finite_reference}}},
                       {"constant", o.constant},
                       {"reacts", o.reacts},
                       {"reordered", o.reordered},
                       {"verdict", o.verdict},
                       {"worst_input", o.worst_input},
                       {"pass", o.pass}});
  }
  Json out{{"schema", "anemone.verify/1"},
           {"candidate", r.candidate},
           {"reference", r.reference},
           {"basis", r.basis},
           {"precision", r.precision}};
  if (!r.accumulate.empty()) out["accumulate"] = r.accumulate;
  out["inputs"] = r.inputs;
  out["outputs"] = outputs;
  if (r.landmarks) {
    const bool some = r.landmarks->inputs > r.landmarks->inputs_without_answer;
    out["landmarks"] = {{"points", r.landmarks->points},
                        {"inputs", r.landmarks->inputs},
                        {"inputs_not_judged", r.landmarks->inputs_not_judged},
                        {"undetermined", r.landmarks->undetermined},
                        {"worst_input", r.landmarks->worst_input},
                        {"worst_point", r.landmarks->worst_point},
                        {"mean_px", some ? number(r.landmarks->mean_px) : Json(nullptr)},
                        {"max_px", some ? number(r.landmarks->max_px) : Json(nullptr)},
                        {"left_out", r.landmarks->left_out},
                        {"distances_px", r.landmarks->distances_px},
                        {"nme_percent", r.landmarks->nme_percent ? number(*r.landmarks->nme_percent) : Json(nullptr)},
                        {"pass", r.landmarks->pass}};
    if (const auto& t = r.landmarks->truth) {
      out["landmarks"]["truth"] = {
          {"file", t->file},
          {"scheme", t->scheme},
          {"normalisation", t->normalisation},
          {"faces", t->faces},
          {"missed", t->missed},
          {"nme_percent", number(t->nme_percent)},
          {"reference_nme_percent", number(t->reference_nme_percent)},
          {"nme_change_percent", t->nme_change_percent ? number(*t->nme_change_percent) : Json(nullptr)},
          {"limit_change_percent", t->limit_change_percent},
          {"pass", t->pass}};
    }
  }
  if (r.layers) {
    Json layers = Json::array();
    for (std::size_t i = 0; i < std::min(most_layers, r.layers->ranked.size()); ++i)
      layers.push_back(layer(r.layers->ranked[i]));
    out["layers"] = layers;
    out["layers_in_all"] = {{"input", r.layers->input},
                            {"values", r.layers->values},
                            {"compared", r.layers->ranked.size()},
                            {"usual", number(r.layers->usual)},
                            {"first", r.layers->first ? layer(*r.layers->first) : Json(nullptr)}};
  }
  out["limits"] = {{"mean_px", r.limit_mean_px}, {"max_px", r.limit_max_px}, {"psnr_db", r.limit_psnr_db}};
  out["notes"] = r.notes;
  out["reason"] = r.reason;
  out["causes"] = r.causes;
  out["next"] = r.next;
  if (!r.saved.empty()) out["saved"] = saved(r);
  out["pass"] = r.pass;
  return dump(out);
}

}  // namespace anemone::report
