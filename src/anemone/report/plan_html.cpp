// A plan as one page that loads nothing from elsewhere.
#include "anemone/report/plan_html.h"

#include <fmt/format.h>

#include <algorithm>

#include "anemone/report/html_page.h"
#include "anemone/report/markup.h"
#include "anemone/report/plan_view.h"

namespace anemone::report {
namespace {

using plan::Plan;
using plan::Unit;

std::string cause(const plan::PlannedOp& op) {
  if (op.verdict.code.empty()) return op.unit == Unit::ane ? "on the engine" : "where the planner puts it";
  return op.verdict.code;
}

}  // namespace

std::string plan_figures(const Plan& p) {
  const HtmlFigure figures[] = {
      {fmt::format("{} of {}", p.on_ane, p.ops.size()),
       fmt::format("operations on the engine; {} could be", p.supported)},
      {std::to_string(p.segments.size()), fmt::format("segments, {} on the engine", p.partitions)},
      {latency_text(p.latency) + (p.latency.warning.empty() ? " ms" : ""),
       p.latency.warning.empty() ? "a warm call, predicted" : p.latency.warning},
      {fmt::format("{:.2f} ms", p.planner_ms), "the planner's own estimate"}};
  return html_figures(figures);
}

std::string plan_strip(const Plan& p) {
  double total = 0;
  for (const plan::Segment& s : p.segments) total += s.us;
  std::string out = "<div class=\"strip\" role=\"img\" aria-label=\"segments in program order\">\n";
  for (const plan::Segment& s : p.segments) {
    out += fmt::format(
        "<span style=\"flex:{:.4f};background:{}\" title=\"{}: {} operations, {:.1f} µs, {} … {}\"></span>\n",
        std::max(0.002, total > 0 ? s.us / total : 1), color(s.unit), name(s.unit), s.ops, s.us, as_markup(s.first),
        as_markup(s.last));
  }
  return out + "</div>\n<p>" + unit_mark(Unit::ane) + ", " + unit_mark(Unit::cpu) + ", " + unit_mark(Unit::gpu) + ":" +
         " segments in program order, as wide as the planner's estimate of their time</p>\n";
}

std::string plan_findings(const std::vector<plan::Finding>& findings, const Plan& p) {
  if (findings.empty()) return "<p>nothing was found</p>\n";
  std::string out;
  for (const plan::Finding& f : findings) {
    out +=
        fmt::format("<details><summary><b>{}</b> {}{} <span class=\"note\">({})</span></summary>\n", f.code,
                    as_markup(f.message), f.cost_us ? fmt::format("; about {:.0f} µs", *f.cost_us) : "", name(f.trust));
    if (f.without) out += fmt::format("<p>{}</p>\n", as_markup(outcome_text(*f.without, p)));
    if (!f.instead.empty()) out += fmt::format("<p>instead: {}</p>\n", as_markup(f.instead));
    if (!f.command.empty()) out += fmt::format("<p><code>{}</code></p>\n", as_markup(f.command));
    constexpr std::size_t kMost = 200;
    std::string names;
    for (std::size_t i = 0; i < std::min(kMost, f.ops.size()); ++i) names += (i ? ", " : "") + as_markup(f.ops[i]);
    if (f.ops.size() > kMost) names += fmt::format(" and {} more", f.ops.size() - kMost);
    if (!names.empty()) out += fmt::format("<p class=\"name\">at: {}</p>\n", names);
    out += "</details>\n";
  }
  return out;
}

std::string plan_ops(const Plan& p, const std::map<std::string, toolchain::MeasuredOp>* measured) {
  std::string out =
      "<div class=\"tools\"><input id=\"find\" type=\"search\" placeholder=\"search operations\" aria-label=\"search\">\n"
      "<select id=\"by\" aria-label=\"group by\"><option value=\"cause\">grouped by cause</option>"
      "<option value=\"type\">grouped by type</option><option value=\"unit\">grouped by unit</option>"
      "<option value=\"\">in program order</option></select><span id=\"count\"></span></div>\n"
      "<table class=\"ops\"><thead><tr>";
  std::vector<HtmlColumn> columns{{"operation"}, {"type"}, {"unit"}, {"µs", true}, {"kB", true}, {"MMAC", true}};
  if (measured) columns.insert(columns.end(), {{"measured"}, {"share %", true}});
  columns.push_back({"why"});
  for (const HtmlColumn& column : columns)
    out += fmt::format("<th aria-sort=\"none\"{}><button>{}</button></th>", column.number ? " class=\"n\"" : "",
                       column.title);
  out += "</tr></thead>\n<tbody>\n";
  const auto amount = [](double value, int digits, std::string_view unit) {
    return fmt::format("<td class=\"n\" data-unit=\"{2}\">{0:.{1}f}</td>", value, digits, unit);
  };
  for (const plan::PlannedOp& op : p.ops) {
    const std::string why = op.verdict.code.empty() ? op.verdict.reason : op.verdict.code + ": " + op.verdict.reason;
    out += fmt::format(
        "<tr data-cause=\"{}\" data-type=\"{}\" data-unit=\"{}\" data-us=\"{:.3f}\"><td class=\"name\">{}</td>"
        "<td>{}</td><td>{}</td>{}{}{}",
        as_markup(cause(op)), as_markup(op.type), name(op.unit), op.us, as_markup(op.output), as_markup(op.type),
        unit_mark(op.unit), amount(op.us, 2, "µs"), amount(static_cast<double>(op.bytes) / 1e3, 1, "kB"),
        amount(static_cast<double>(op.macs) / 1e6, 2, "MMAC"));
    if (measured) {
      const auto found = measured->find(op.output);
      const toolchain::MeasuredOp one = found == measured->end() ? toolchain::MeasuredOp{} : found->second;
      out += fmt::format("<td>{}</td>{}", as_markup(one.unit.value_or("not said")),
                         one.cost ? amount(100 * *one.cost, 2, "%") : "<td class=\"n\" data-v=\"-1\"></td>");
    }
    out += fmt::format("<td class=\"why\">{} <span class=\"note\">({})</span></td></tr>\n", as_markup(why),
                       name(op.verdict.trust));
  }
  return out + "</tbody></table>\n";
}

std::string plan_html(const toolchain::PlanResult& result) {
  const Plan& p = result.plans.front();
  std::string body = fmt::format(
      "<p class=\"note\">A prediction from rules and cost models, not a measurement. Weakest evidence: {}.</p>\n",
      name(p.weakest_trust));
  body += plan_figures(p) + plan_strip(p);
  body += "<h2>Findings, most expensive first</h2>\n" + plan_findings(p.findings, p);
  body += "<h2>Operations</h2>\n" + plan_ops(p, nullptr);
  body += "<h2>Notes</h2>\n<ul>\n";
  for (const auto* notes : {&p.notes, &result.notes}) {
    for (const std::string& note : *notes) body += fmt::format("<li>{}</li>\n", as_markup(note));
  }
  body += fmt::format("<li>{}</li>\n</ul>\n", as_markup(p.latency.basis));
  return html_page(fmt::format("{} on {} ({})", result.model, p.chip, p.compute_units), body);
}

}  // namespace anemone::report
