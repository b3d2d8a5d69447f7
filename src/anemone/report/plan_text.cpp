// Plans as text for people: placement, latency, findings, a strip of the program.
#include "anemone/report/plan_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "anemone/report/words.h"
#include "anemone/support/text.h"
#include "anemone/support/utf8.h"

namespace anemone::report {
namespace {

using plan::Finding;
using plan::Plan;
using plan::Unit;
using toolchain::PlanResult;

std::string names(const std::vector<std::string>& ops, std::size_t most = 4) {
  std::string out;
  for (std::size_t i = 0; i < std::min(most, ops.size()); ++i) out += (i ? ", " : "") + escaped(ops[i]);
  if (ops.size() > most) out += fmt::format(" and {} more", ops.size() - most);
  return out;
}

char letter(Unit unit) { return unit == Unit::ane ? '#' : unit == Unit::cpu ? '.' : 'g'; }

// The program from left to right; a cell shows the unit with the fewest operations in the whole plan that occurs in it,
// so that a single stray operation is visible.
std::string strip(const Plan& plan) {
  constexpr std::size_t kColumns = 51;  // with its legend on a terminal of 80 columns, alone on one of 60
  const std::size_t columns = std::min(kColumns, plan.ops.size());
  std::string out;
  for (std::size_t c = 0; c < columns; ++c) {
    const std::size_t begin = c * plan.ops.size() / columns, end = (c + 1) * plan.ops.size() / columns;
    char cell = letter(plan.ops[begin].unit);
    for (std::size_t i = begin; i < end; ++i) {
      if (plan.ops[i].unit != Unit::ane) cell = letter(plan.ops[i].unit);
    }
    out += cell;
  }
  return out;
}

std::string segment_line(const plan::Segment& s) {
  std::string line = fmt::format("{} {:>4} {} {:>9.3f} ms  {} … {}", name(s.unit), s.ops, s.ops == 1 ? "op " : "ops",
                                 s.us / 1e3, escaped(s.first), escaped(s.last));
  if (s.bytes_in > 0)
    line += fmt::format("  ({} in from other units)", megabytes(static_cast<std::uint64_t>(s.bytes_in)));
  return line;
}

std::string finding_text(const Finding& f, const Plan& plan) {
  std::string cost = f.cost_us ? fmt::format("{:.0f} us", *f.cost_us) : "";
  std::string out =
      fmt::format("  {} {:<5} {:>8}  {} ({})\n", f.code, f.severity, cost, escaped(f.message), name(f.trust));
  if (!f.ops.empty()) out += fmt::format("{:>24}at: {}\n", "", names(f.ops));
  if (f.without) out += fmt::format("{:>24}{}\n", "", outcome_text(*f.without, plan));
  if (!f.instead.empty()) out += fmt::format("{:>24}instead: {}\n", "", f.instead);
  if (!f.command.empty()) out += fmt::format("{:>24}{}\n", "", f.command);
  return out;
}

std::string table_head() {
  return fmt::format("{:>9} {:>7} {:>4} {:>4} {:>10} {:>9}  {:<12}", "on ANE", "", "ANE", "CPU", "planner ms",
                     "crossing", "latency ms");
}
std::string table_row(const Plan& p) {
  return fmt::format("{:>9} {:>6.1f}% {:>4} {:>4} {:>10.2f} {:>9}  {:<12}",
                     fmt::format("{}/{}", p.on_ane, p.ops.size()), p.coverage_percent, p.partitions,
                     p.segments.size() - p.partitions, p.planner_ms,
                     megabytes(static_cast<std::uint64_t>(p.crossing_bytes)), latency_text(p.latency));
}
constexpr std::string_view kTableLegend =
    "predictions from rules and cost models, not measurements; ANE, CPU: segments on the engine, off it\n";

std::string device_table(const PlanResult& result) {
  std::string out = fmt::format("{}, predicted for every chip ({})\n{:<8} {} evidence\n", result.model,
                                result.plans.front().compute_units, "device", table_head());
  for (const Plan& p : result.plans) out += fmt::format("{:<8} {} {}\n", p.device, table_row(p), name(p.weakest_trust));
  for (const std::string& note : result.notes) out += fmt::format("note: {}\n", note);
  return out.append(kTableLegend);
}

// Only what was asked for: the operations, and what the rules say about them.
std::string selection(const PlanResult& result, const PlanView& view) {
  const Plan& plan = result.plans.front();
  const std::vector<std::size_t> ops = selected(plan, view);
  std::string out = fmt::format("{} on {}, {}: a prediction; weakest evidence: {}\n{} of {}", result.model, plan.chip,
                                plan.compute_units, name(plan.weakest_trust), ops.size(),
                                counted(static_cast<std::int64_t>(plan.ops.size()), "operation"));
  for (std::size_t i = 0; i < view.where.size(); ++i) out += (i ? ", " : " where ") + view.where[i];
  out += '\n';
  if (!view.group.empty()) return out + group_table(plan, view, ops);
  if (!ops.empty()) out += per_op_table(plan, ops);
  const std::vector<const Finding*> findings = findings_of(plan, view, ops);
  if (!findings.empty()) out += '\n';
  for (const Finding* finding : findings) out += finding_text(*finding, plan);
  return out;
}

}  // namespace

std::string plan_text(const PlanResult& result, const PlanView& view) {
  if (result.plans.size() > 1) return device_table(result);
  if (view.selects()) return selection(result, view);
  const Plan& p = result.plans.front();
  std::string out = fmt::format("{} on {}, {}: a prediction; weakest evidence: {}\n", result.model, p.chip,
                                p.compute_units, name(p.weakest_trust));
  out += fmt::format("  {} of {} placed on the Neural Engine ({:.1f} %); it could take {}\n", p.on_ane,
                     counted(static_cast<std::int64_t>(p.ops.size()), "operation"), p.coverage_percent, p.supported);
  out += fmt::format("  {}, {} of them on the engine; {} cross between units\n",
                     counted(static_cast<std::int64_t>(p.segments.size()), "segment"), p.partitions,
                     megabytes(static_cast<std::uint64_t>(p.crossing_bytes)));
  constexpr std::size_t kMostSegments = 24;
  for (std::size_t i = 0; i < std::min(kMostSegments, p.segments.size()); ++i)
    out += "    " + segment_line(p.segments[i]) + "\n";
  if (p.segments.size() > kMostSegments)
    out += fmt::format("    … and {} more segments (--json has all)\n", p.segments.size() - kMostSegments);
  if (!p.ops.empty()) out += fmt::format("  [{}]  # engine  . CPU  g GPU\n", strip(p));
  out += fmt::format("  latency {}{} ms{}\n", p.latency.warning.empty() ? "" : p.latency.warning + "; perhaps ",
                     milliseconds(p.latency.low, p.latency.high),
                     p.latency.warning.empty() ? "" : " if it behaves like the rest");
  out += fmt::format("    {}\n", p.latency.basis);
  for (const plan::LatencyPart& part : p.latency.parts) {
    const std::string value = part.low == part.high ? fmt::format("{:.2f}", part.low)
                                                    : milliseconds(part.low) + " to " + milliseconds(part.high);
    out += fmt::format("    {:<24} {:>14} ms  {} ({})\n", part.name, value, part.basis, name(part.trust));
  }
  if (!p.findings.empty())
    out += fmt::format("\nfindings, most expensive first (microseconds by the planner's estimates)\n");
  for (const Finding& f : p.findings) out += finding_text(f, p);
  if (view.per_op) out += per_op_table(p, selected(p, view));
  out += '\n';
  for (const std::string& note : p.notes) out += fmt::format("note: {}\n", note);
  for (const std::string& note : result.notes) out += fmt::format("note: {}\n", note);
  return out;
}

std::string plan_rows_text(const std::vector<PlanRow>& rows) {
  const auto any = std::find_if(rows.begin(), rows.end(), [](const PlanRow& row) { return row.plan.has_value(); });
  if (any == rows.end()) return {};  // each was told why
  std::string out = fmt::format("on {}, {}\n{} model\n", any->plan->chip, any->plan->compute_units, table_head());
  for (const PlanRow& row : rows) {
    const std::string start = row.plan ? table_row(*row.plan) : fmt::format("{:<62}", "  not planned");
    out += fmt::format("{} {}\n", start, escaped(row.model));
  }
  return out.append(kTableLegend);
}

std::string plan_comparison_text(const PlanResult& before, const PlanResult& after) {
  const Plan &a = before.plans.front(), &b = after.plans.front();
  const auto rows = by_type(a, b);
  std::vector<std::pair<std::string, std::pair<TypeTotal, TypeTotal>>> sorted(rows.begin(), rows.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& x, const auto& y) {
    return std::abs(x.second.first.us - x.second.second.us) > std::abs(y.second.first.us - y.second.second.us);
  });
  std::string out = fmt::format("before: {} on {}\nafter:  {} on {}\n{}: predictions, not measurements\n\n",
                                before.model, a.chip, after.model, b.chip, a.compute_units);
  out += fmt::format("{:<25} {:>12} {:>12} {:>9} {:>9} {:>8}\n", "", "ops (on ANE)", "after", "us", "after", "change");
  const auto line = [&](std::string_view what, const TypeTotal& x, const TypeTotal& y) {
    out +=
        fmt::format("{:<25} {:>12} {:>12} {:>9.1f} {:>9.1f} {:>+8.1f}\n", what, fmt::format("{} ({})", x.ops, x.on_ane),
                    fmt::format("{} ({})", y.ops, y.on_ane), x.us, y.us, y.us - x.us);
  };
  for (const auto& [type, sides] : sorted) line(type, sides.first, sides.second);
  line("total with switches", {a.ops.size(), a.on_ane, 1e3 * a.planner_ms},
       {b.ops.size(), b.on_ane, 1e3 * b.planner_ms});
  out += fmt::format("\nsegments {} -> {}, crossing {} -> {}, latency {} -> {}\n", a.segments.size(), b.segments.size(),
                     megabytes(static_cast<std::uint64_t>(a.crossing_bytes)),
                     megabytes(static_cast<std::uint64_t>(b.crossing_bytes)), latency_text(a.latency),
                     latency_text(b.latency));
  return out;
}

}  // namespace anemone::report
