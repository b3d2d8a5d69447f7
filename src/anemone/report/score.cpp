// Errors of landmarks.
#include "anemone/report/score.h"

#include <fmt/format.h>

#include <cmath>

#include "anemone/report/json_parts.h"
#include "anemone/report/markup.h"
#include "anemone/support/text.h"
#include "anemone/support/utf8.h"

namespace anemone::report {
using toolchain::ScoredNormalisation;
using toolchain::ScoreResult;

std::string score_text(const ScoreResult& r) {
  std::string out = fmt::format("{} against {}: {} of {} points ({})\n", escaped(r.predictions), escaped(r.truth),
                                counted(static_cast<std::int64_t>(r.faces), "face"), r.points, r.scheme);
  if (r.missed > 0)
    out += fmt::format("{} without a prediction: failed, and not in the mean\n",
                       counted(static_cast<std::int64_t>(r.missed), "face"));
  out += fmt::format("{:<10} {:>9}  {:>9}  {:>8}  {:>9}\n", "divided by", "NME %", "threshold", "FR %", "AUC");
  for (const ScoredNormalisation& n : r.normalisations) {
    for (const face::ErrorCurve& curve : n.curves)
      out += fmt::format("{:<10} {:>9.4f}  {:>9g}  {:>8.2f}  {:>9.6f}\n", n.name, 100 * n.mean, curve.threshold,
                         100 * curve.failure_rate, curve.area);
  }
  return out;
}

std::string score_json(const ScoreResult& r) {
  Json normalisations = Json::array();
  for (const ScoredNormalisation& n : r.normalisations) {
    Json curves = Json::array(), errors = Json::array();
    for (const face::ErrorCurve& curve : n.curves)
      curves.push_back({{"threshold", curve.threshold},
                        {"samples", curve.errors.size()},
                        {"last", curve.errors.back()},
                        {"fr", curve.failure_rate},
                        {"auc", curve.area}});
    for (const float error : n.errors) errors.push_back(number(error));
    normalisations.push_back({{"name", n.name}, {"nme", number(n.mean)}, {"curves", curves}, {"errors", errors}});
  }
  return dump({{"schema", "anemone.score/1"},
               {"predictions", r.predictions},
               {"truth", r.truth},
               {"scheme", r.scheme},
               {"points", r.points},
               {"faces", r.faces},
               {"missed", r.missed},
               {"normalisations", normalisations}});
}

std::string score_svg(const ScoreResult& r) {
  constexpr double kLeft = 60, kTop = 30, kWidth = 480, kHeight = 300;
  constexpr const char* kStrokes[] = {"#0072b2", "#d55e00", "#009e73"};
  double limit = 0;
  for (const ScoredNormalisation& n : r.normalisations) {
    for (const face::ErrorCurve& curve : n.curves) limit = std::max(limit, curve.threshold);
  }
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 560 390\" font-family=\"sans-serif\" font-size=\"12\">\n"
      "<title>Cumulative error of {} faces, {}</title>\n<rect width=\"560\" height=\"390\" fill=\"#fff\"/>\n",
      r.faces, r.scheme);
  for (int i = 0; i <= 5; ++i) {
    const double x = kLeft + kWidth * i / 5, y = kTop + kHeight - kHeight * i / 5;
    out += fmt::format("<path d=\"M{:.1f} {:.1f}H{:.1f}M{:.1f} {:.1f}V{:.1f}\" stroke=\"#ddd\"/>\n", kLeft, y,
                       kLeft + kWidth, x, kTop, kTop + kHeight);
    out += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{:.3g}</text>\n", x, kTop + kHeight + 18,
                       100 * limit * i / 5);
    out += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n", kLeft - 8, y + 4, 20 * i);
  }
  out += fmt::format("<text x=\"{:.1f}\" y=\"376\" text-anchor=\"middle\">error, % of the distance</text>\n",
                     kLeft + kWidth / 2);
  out += fmt::format("<text x=\"{:.1f}\" y=\"18\">faces, %</text>\n", kLeft - 40);
  std::size_t index = 0;
  for (const ScoredNormalisation& n : r.normalisations) {
    const char* stroke = kStrokes[index % std::size(kStrokes)];
    std::string path;
    for (const face::ErrorCurve& curve : n.curves) {
      if (curve.threshold != limit) continue;
      double before = -1;
      for (std::size_t i = 0; i < curve.errors.size(); ++i) {
        if (curve.shares[i] == before && i + 1 < curve.errors.size()) continue;  // a step keeps its height
        const double x = kLeft + kWidth * std::min(1.0, curve.errors[i] / limit);
        if (before >= 0) path += fmt::format("H{:.1f}", x);
        path += fmt::format("{}{:.1f}{}{:.1f}", before < 0 ? "M" : "V",
                            before < 0 ? x : kTop + kHeight * (1 - curve.shares[i]), before < 0 ? " " : "H",
                            before < 0 ? kTop + kHeight * (1 - curve.shares[i]) : x);
        before = curve.shares[i];
      }
      out += fmt::format("<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\"/>\n", path, stroke);
      out += fmt::format(
          "<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\" fill=\"{}\">{}: NME {:.2f} %, FR {:.2f} %, "
          "AUC {:.4f}</text>\n",
          kLeft + kWidth - 8, kTop + kHeight - 12 - 18 * static_cast<double>(index), stroke, n.name, 100 * n.mean,
          100 * curve.failure_rate, curve.area);
    }
    ++index;
  }
  return out + "</svg>\n";
}

}  // namespace anemone::report
