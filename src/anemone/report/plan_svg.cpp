// A plan as a picture: rows of operations in program order, as wide as they cost, coloured by unit.
#include "anemone/report/plan_svg.h"

#include <fmt/format.h>

#include <algorithm>

#include "anemone/report/markup.h"
#include "anemone/report/words.h"
#include "anemone/support/text.h"

namespace anemone::report {
namespace {

using plan::PlannedOp;
using plan::Unit;

std::string text(double x, double y, std::string_view what, int size = 12, std::string_view fill = "#222") {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" font-size=\"{}\" fill=\"{}\">{}</text>\n", x, y, size, fill,
                     as_markup(what));
}

}  // namespace

std::string plan_svg(const toolchain::PlanResult& result) {
  constexpr double kWidth = 1000, kMargin = 20, kRow = 34;
  const plan::Plan& p = result.plans.front();
  // Wide enough to see: an operation that costs nothing still gets a hair.
  double total = 0;
  std::vector<double> widths;
  double cost = 0;
  for (const PlannedOp& op : p.ops) cost += op.us;
  const double hair = cost / std::max(1.0, 4 * static_cast<double>(p.ops.size()));
  for (const PlannedOp& op : p.ops) widths.push_back(op.us + hair + 1e-9), total += widths.back();
  const std::size_t rows = std::clamp<std::size_t>(p.ops.size() / 120, 1, 12);
  const double span = kWidth - 2 * kMargin, per_row = total / static_cast<double>(rows);

  std::vector<const PlannedOp*> offenders;
  for (const PlannedOp& op : p.ops) {
    if (op.unit != Unit::ane) offenders.push_back(&op);
  }
  std::stable_sort(offenders.begin(), offenders.end(),
                   [](const PlannedOp* a, const PlannedOp* b) { return a->us > b->us; });
  constexpr std::size_t kMostNamed = 30;
  const std::size_t named = std::min(kMostNamed, offenders.size());
  const double strip_top = 84, list_top = strip_top + kRow * static_cast<double>(rows) + 40,
               height = list_top + 16 * static_cast<double>(named + 3);

  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {:.0f} {:.0f}\" width=\"{:.0f}\" height=\"{:.0f}\" "
      "font-family=\"sans-serif\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n",
      kWidth, height, kWidth, height);
  out += text(kMargin, 24, fmt::format("{} on {} ({})", result.model, p.chip, p.compute_units), 16);
  out += text(kMargin, 44,
              fmt::format("{} of {} operations on the Neural Engine, {}, {} ms", p.on_ane, p.ops.size(),
                          counted(static_cast<std::int64_t>(p.segments.size()), "segment"),
                          milliseconds(p.latency.low, p.latency.high)));
  out += text(
      kMargin, 60,
      fmt::format(
          "a prediction from rules, not a measurement; weakest evidence: {}. Width: the planner's estimate of time",
          name(p.weakest_trust)),
      11, "#666");
  double x = 0;
  std::size_t row = 0;
  for (std::size_t i = 0; i < p.ops.size(); ++i) {
    const PlannedOp& op = p.ops[i];
    if (x >= per_row && row + 1 < rows) x = 0, ++row;
    const double w = std::min(widths[i], std::max(0.0, per_row * 1.02 - x)) / (per_row * 1.02) * span;
    out += fmt::format(
        "<rect x=\"{:.2f}\" y=\"{:.1f}\" width=\"{:.2f}\" height=\"26\" fill=\"{}\"{}><title>{} {}: {}, {:.1f} "
        "us{}</title></rect>\n",
        kMargin + x / (per_row * 1.02) * span, strip_top + kRow * static_cast<double>(row), w, color(op.unit),
        i % 2 ? " opacity=\"0.85\"" : "", as_markup(op.type), as_markup(op.output), name(op.unit), op.us,
        op.verdict.code.empty() ? "" : as_markup(" " + op.verdict.code + " " + op.verdict.reason));
    x += widths[i];
  }
  double legend = kMargin;
  for (const auto& [unit, label] :
       {std::pair(Unit::ane, "Neural Engine"), std::pair(Unit::cpu, "CPU"), std::pair(Unit::gpu, "GPU")}) {
    out += fmt::format("<rect x=\"{:.0f}\" y=\"{:.0f}\" width=\"12\" height=\"12\" fill=\"{}\"/>\n", legend,
                       list_top - 30, color(unit));
    out += text(legend + 18, list_top - 20, label);
    legend += 140;
  }
  out +=
      text(kMargin, list_top + 4,
           offenders.empty() ? "everything is on the engine"
                             : "off the engine: " + counted(static_cast<std::int64_t>(offenders.size()), "operation"),
           13);
  for (std::size_t i = 0; i < named; ++i) {
    const PlannedOp& op = *offenders[i];
    const std::string why = op.verdict.code.empty() ? "could be on the engine; going there costs more than it saves"
                                                    : op.verdict.code + ": " + op.verdict.reason + " (" +
                                                          std::string(name(op.verdict.trust)) + ")";
    out += text(kMargin, list_top + 22 + 16 * static_cast<double>(i),
                fmt::format("{} {} {:.1f} us  {}", op.type, op.output, op.us, why), 11);
  }
  if (offenders.size() > named)
    out += text(kMargin, list_top + 22 + 16 * static_cast<double>(named),
                fmt::format("and {} more", offenders.size() - named), 11);
  return out + "</svg>\n";
}

}  // namespace anemone::report
