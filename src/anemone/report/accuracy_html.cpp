// Charts and overlays as SVG in the page, in its colours.
#include "anemone/report/accuracy_html.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "anemone/report/markup.h"
#include "anemone/support/text.h"

namespace anemone::report {
namespace {

constexpr double kLeft = 56, kTop = 16, kWidth = 480, kHeight = 200;

/// 1, 2 or 5 times a power of ten, not below `value`.
double round_up(double value) {
  if (!(value > 0)) return 1;
  const double power = std::pow(10, std::floor(std::log10(value)));
  for (const double step : {1.0, 2.0, 5.0, 10.0}) {
    if (step * power >= value) return step * power;
  }
  return 10 * power;
}

/// The axes with what stands at them; `inside` is drawn between.
std::string chart(std::string_view title, std::string_view across, std::string_view up, double most_across,
                  double most_up, const std::string& inside) {
  std::string out = fmt::format("<figure><svg viewBox=\"0 0 560 264\" width=\"560\" role=\"img\" aria-label=\"{}\">\n",
                                as_markup(title));
  for (int i = 0; i <= 4; ++i) {
    const double x = kLeft + kWidth * i / 4, y = kTop + kHeight - kHeight * i / 4;
    out += fmt::format("<path d=\"M{:.1f} {:.1f}H{:.1f}\" stroke=\"#8886\"/>", kLeft, y, kLeft + kWidth);
    out += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{:.3g}</text>", x, kTop + kHeight + 16,
                       most_across * i / 4);
    out += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">{:.3g}</text>\n", kLeft - 6, y + 4,
                       most_up * i / 4);
  }
  out += inside;
  out += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text></svg>\n", kLeft + kWidth / 2,
                     kTop + kHeight + 36, as_markup(across));
  return out + fmt::format("<figcaption>{}; {} upwards</figcaption></figure>\n", as_markup(title), as_markup(up));
}

}  // namespace

std::string distance_histogram(const std::vector<double>& distances_px) {
  constexpr std::size_t kBins = 24;
  const double most = round_up(*std::max_element(distances_px.begin(), distances_px.end()));
  std::vector<std::int64_t> counts(kBins);
  for (const double d : distances_px)
    ++counts[std::min(kBins - 1, static_cast<std::size_t>(d / most * static_cast<double>(kBins)))];
  const double tallest = round_up(static_cast<double>(*std::max_element(counts.begin(), counts.end())));
  std::string bars;
  for (std::size_t i = 0; i < kBins; ++i) {
    if (counts[i] == 0) continue;
    const double height = kHeight * static_cast<double>(counts[i]) / tallest, width = kWidth / kBins;
    bars += fmt::format(
        "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"var(--one)\"><title>{}, {:.3g} to "
        "{:.3g} px</title></rect>\n",
        kLeft + width * static_cast<double>(i) + 1, kTop + kHeight - height, width - 2, height,
        counted(counts[i], "point"), most * static_cast<double>(i) / kBins, most * static_cast<double>(i + 1) / kBins);
  }
  return chart("How far the points moved", "pixels", "points", most, tallest, bars);
}

std::string distance_curve(const std::vector<double>& distances_px) {
  std::vector<double> sorted = distances_px;
  std::sort(sorted.begin(), sorted.end());
  const double most = round_up(sorted.back()), count = static_cast<double>(sorted.size());
  std::string path = fmt::format("M{:.1f} {:.1f}", kLeft, kTop + kHeight);
  constexpr std::size_t kSteps = 200;
  for (std::size_t i = 0; i <= kSteps; ++i) {
    const double d = most * static_cast<double>(i) / kSteps;
    const auto within = static_cast<double>(std::upper_bound(sorted.begin(), sorted.end(), d) - sorted.begin());
    path += fmt::format("L{:.1f} {:.1f}", kLeft + kWidth * d / most, kTop + kHeight * (1 - within / count));
  }
  return chart("Points within a distance", "pixels", "per cent of the points", most, 100,
               fmt::format("<path d=\"{}\" fill=\"none\" stroke=\"var(--one)\" stroke-width=\"2\"/>\n", path));
}

std::string landmark_overlay(const toolchain::LandmarkPicture& picture) {
  const double side = static_cast<double>(std::max(picture.width, picture.height));
  std::string out = fmt::format(
      "<figure><svg viewBox=\"0 0 {0} {1}\" width=\"384\" role=\"img\" aria-label=\"{2} with the points of both "
      "models\"><image width=\"{0}\" height=\"{1}\" href=\"data:image/jpeg;base64,{3}\"/>\n",
      picture.width, picture.height, as_markup(picture.name), base64(picture.jpeg));
  // The centre of the first pixel is half a pixel from the corner that SVG counts from.
  const auto points = [&](const std::vector<face::Point>& list, double radius, std::string_view look) {
    out += fmt::format("<g {}>", look);
    for (const face::Point& p : list) {
      if (std::isfinite(p.x) && std::isfinite(p.y))
        out += fmt::format("<circle cx=\"{:.2f}\" cy=\"{:.2f}\" r=\"{:.2f}\"/>", p.x + 0.5f, p.y + 0.5f,
                           radius * side / 256);
    }
    out += "</g>\n";
  };
  points(picture.reference, 2.2, "fill=\"none\" stroke=\"#ff9d2e\" stroke-width=\"0.8\"");
  points(picture.candidate, 1.1, "fill=\"#39ff14\"");
  double sum = 0, largest = 0;
  std::int64_t count = 0;
  for (const double d : picture.distances_px) {
    if (!std::isfinite(d)) continue;
    sum += d;
    largest = std::max(largest, d);
    ++count;
  }
  return out + fmt::format("</svg><figcaption>{}: mean {:.4f} px, farthest {:.4f} px</figcaption></figure>\n",
                           as_markup(picture.name), count > 0 ? sum / static_cast<double>(count) : 0, largest);
}

}  // namespace anemone::report
