// What the page says, in the order in which it is read.
#include "anemone/report/report.h"

#include <fmt/format.h>

#include "anemone/report/accuracy_html.h"
#include "anemone/report/gate.h"
#include "anemone/report/html_page.h"
#include "anemone/report/json_parts.h"
#include "anemone/report/markup.h"
#include "anemone/report/plan_html.h"
#include "anemone/report/words.h"
#include "anemone/support/text.h"

namespace anemone::report {
namespace {

using toolchain::Analysis;
using toolchain::Measurements;
using toolchain::Report;
using toolchain::ReportSide;

using Rows = std::vector<std::vector<std::string>>;

const plan::Plan& plan_of(const ReportSide& side) { return side.plan.plans.front(); }

std::string section(std::string_view title, const std::string& body) {
  return fmt::format("<h2>{}</h2>\n{}", as_markup(title), body);
}

const Measurements* device_of(const Report& r) {
  const Measurements* found = nullptr;
  for (const Measurements& one : r.measured) {
    if (one.basis == toolchain::Basis::device) found = &one;
  }
  return found;
}

std::string or_dash(const std::optional<double>& value, std::string_view unit) {
  return value ? fmt::format("{:.4g}{}", *value, unit) : "not measured";
}

/// A column of the summary: what is not known of a model stays a dash.
struct Column {
  std::string title, file, bytes, parameters, ops, macs, coverage, partitions, latency;
};

Column column_of(const ReportSide& side, std::string title) {
  const Analysis& a = side.analysis;
  const plan::Plan& p = plan_of(side);
  Column out{.title = std::move(title), .file = side.model, .bytes = megabytes(side.bytes)};
  out.parameters = grouped(a.parameters.live) +
                   (a.parameters.dead > 0 ? " and " + grouped(a.parameters.dead) + " that never run" : "");
  out.ops = grouped(a.ops.total);
  out.macs = grouped(a.macs);
  if (side.is_checkpoint) return out;  // the engine takes packages: its plan is that of the other column
  out.coverage = fmt::format("{:.1f} % ({} of {})", p.coverage_percent, p.on_ane, p.ops.size());
  out.partitions = std::to_string(p.partitions);
  out.latency = p.latency.warning.empty() ? milliseconds(p.latency.low, p.latency.high) + " ms" : p.latency.warning;
  return out;
}

Column column_of(const toolchain::OrtPlans& plans, std::uint64_t bytes) {
  const auto& p = plans.plans.front();
  return {.title = "before, ONNX Runtime " + to_text(p.target),
          .file = plans.model,
          .bytes = megabytes(bytes),
          .ops = fmt::format("{}, {} after the runtime's own passes", p.nodes_in_file, p.nodes),
          .coverage = fmt::format("{:.1f} % ({} of {})", p.coverage_percent(), p.supported, p.nodes),
          .partitions = std::to_string(p.partitions.size())};
}

std::string summary(const Report& r) {
  std::vector<Column> columns;
  if (r.baseline) columns.push_back(column_of(*r.baseline, r.baseline_bytes));
  if (r.before) columns.push_back(column_of(*r.before, r.before->is_checkpoint ? "the checkpoint" : "before"));
  columns.push_back(column_of(r.after, columns.empty() ? "the model" : "after"));
  std::vector<HtmlColumn> heads{{""}};
  for (const Column& column : columns) heads.push_back({column.title});
  Rows rows;
  const auto row = [&](std::string_view label, std::string Column::*field) {
    std::vector<std::string> cells{as_markup(label)};
    for (const Column& column : columns) cells.push_back((column.*field).empty() ? "–" : as_markup(column.*field));
    rows.push_back(std::move(cells));
  };
  const std::string chip = plan_of(r.after).chip;
  row("file", &Column::file);
  row("size", &Column::bytes);
  row("parameters", &Column::parameters);
  row("operations", &Column::ops);
  row("multiply-accumulates", &Column::macs);
  row("taken by the engine, or by ONNX Runtime's provider (predicted)", &Column::coverage);
  row("pieces there (predicted)", &Column::partitions);
  row("a warm call on " + chip + " (predicted)", &Column::latency);
  if (const Measurements* device = device_of(r)) {
    const auto measured = [&](std::string_view label, const std::optional<double>& value, std::string_view unit) {
      std::vector<std::string> cells{as_markup(label)};
      cells.resize(columns.size(), "–");
      cells.push_back(or_dash(value, unit));
      rows.push_back(std::move(cells));
    };
    const std::string on = device->conditions;
    measured("a warm call, measured on " + on, device->latency_ms, " ms");
    measured("on the engine, measured", device->coverage_percent, " %");
    measured("pieces there, measured", device->partitions, "");
  }
  if (r.accuracy && r.accuracy->verify.landmarks) {
    const auto& l = *r.accuracy->verify.landmarks;
    std::vector<std::string> cells{"landmarks against the reference, executed here"};
    cells.resize(columns.size(), "–");
    cells.push_back(fmt::format("mean {:.4f} px, max {:.4f} px{}", l.mean_px, l.max_px,
                                l.nme_percent ? fmt::format(", NME {:.4f} %", *l.nme_percent) : ""));
    rows.push_back(std::move(cells));
  }
  return html_table(heads, rows);
}

std::string targets(const toolchain::GateResult& gate) {
  Rows rows;
  for (const toolchain::GateRow& row : gate.rows) {
    const std::string verdict(verdict_text(row));
    rows.push_back({as_markup(toolchain::row_of(row.quantity).name), std::string(row.level),
                    as_markup(wanted_text(row)), as_markup(got_text(row)), std::string(name(row.basis)),
                    row.met == std::optional(false) ? "<span class=\"bad\">" + verdict + "</span>" : verdict,
                    as_markup(prediction_text(row)), row.met ? as_markup(row.source) : as_markup(row.why_open)});
  }
  const HtmlColumn columns[] = {{"quantity"}, {"level"},   {"wanted", true}, {"got", true},
                                {"asks for"}, {"verdict"}, {"predicted"},    {"from"}};
  return html_table(columns, rows);
}

std::string architecture(const Analysis& a) {
  std::string out = fmt::format("<p>{}; {}</p>\n", as_markup(a.title), as_markup(a.format));
  Rows kinds;
  for (const toolchain::LayerKind& k : a.layers.composition) {
    kinds.push_back({as_markup(k.kind), a.layers.modules ? grouped(k.modules) : "", grouped(k.ops), grouped(k.macs),
                     as_markup(k.engine.ane),
                     as_markup(k.engine.code.empty() ? "" : k.engine.code + ": " + k.engine.reason)});
  }
  const HtmlColumn kind_columns[] = {
      {"kind"}, {"modules", true}, {"operations", true}, {"multiply-accumulates", true}, {"Neural Engine"}, {"why"}};
  if (!kinds.empty()) out += html_table(kind_columns, kinds);
  Rows stages;
  for (const toolchain::WorkRow& w : a.by_stage)
    stages.push_back({as_markup(w.name), grouped(w.ops), grouped(w.macs),
                      megabytes(static_cast<std::uint64_t>(w.weight_bytes)),
                      megabytes(static_cast<std::uint64_t>(w.activation_bytes))});
  const HtmlColumn stage_columns[] = {
      {"stage"}, {"operations", true}, {"multiply-accumulates", true}, {"weights", true}, {"written", true}};
  if (!stages.empty())
    out += fmt::format("<details><summary>by stage ({})</summary>\n{}</details>\n", as_markup(a.stage_basis),
                       html_table(stage_columns, stages));
  Rows features;
  for (const auto& [label, list] : {std::pair("takes", &a.inputs), std::pair("gives", &a.outputs)}) {
    for (const toolchain::FeatureSummary& f : *list)
      features.push_back({as_markup(f.name), label, as_markup(f.kind + " " + f.dtype + f.color), extents(f.shape)});
  }
  const HtmlColumn feature_columns[] = {{"interface"}, {""}, {"kind"}, {"shape"}};
  return out + html_table(feature_columns, features);
}

std::string devices(const Report& r) {
  Rows rows;
  for (const plan::Plan& p : r.by_device)
    rows.push_back({as_markup(p.chip), fmt::format("{:.1f}", p.coverage_percent), std::to_string(p.segments.size()),
                    p.latency.warning.empty() ? milliseconds(p.latency.low, p.latency.high) : "not known",
                    fmt::format("{:.2f}", p.planner_ms), std::string(name(p.weakest_trust))});
  if (const Measurements* device = device_of(r))
    rows.push_back({"measured: " + as_markup(device->conditions),
                    device->coverage_percent ? fmt::format("{:.1f}", *device->coverage_percent) : "", "",
                    or_dash(device->latency_ms, ""), "", "measured"});
  const HtmlColumn columns[] = {{"chip"},
                                {"on the engine, %", true},
                                {"segments", true},
                                {"a warm call, ms", true},
                                {"planner's estimate, ms", true},
                                {"weakest evidence"}};
  return "<p class=\"note\">Predictions, but for what is marked as measured.</p>\n" + html_table(columns, rows);
}

std::string accuracy(const toolchain::ReportAccuracy& a) {
  const toolchain::VerifyResult& v = a.verify;
  std::string out =
      fmt::format("<p><b>{}</b>. {}.</p>\n",
                  v.pass ? "verified: the numbers agree" : as_markup("not verified: " + v.reason), as_markup(v.basis));
  Rows rows;
  for (const toolchain::OutputComparison& o : v.outputs) {
    if (!o.finite) {
      rows.push_back({as_markup(o.name), "–", "–", "–", "–", as_markup(o.verdict)});
      continue;
    }
    rows.push_back({as_markup(o.name), fmt::format("{:.4g}", o.scale), fmt::format("{:.3g}", o.max_abs),
                    fmt::format("{:.3g}", o.mean_abs), o.max_abs == 0 ? "identical" : fmt::format("{:.1f}", o.psnr_db),
                    as_markup(o.verdict)});
  }
  const HtmlColumn columns[] = {{"output"},           {"largest", true}, {"max error", true},
                                {"mean error", true}, {"PSNR dB", true}, {"verdict"}};
  out += html_table(columns, rows);
  if (!a.note.empty()) out += fmt::format("<p>{}</p>\n", as_markup(a.note));
  if (!v.landmarks) return out;
  const toolchain::LandmarkComparison& points = *v.landmarks;
  if (!points.distances_px.empty())
    out += distance_histogram(points.distances_px) + distance_curve(points.distances_px);
  if (!points.pictures.empty()) {
    out += "<p>Circles are the reference's points, dots those of the model.</p>\n<div class=\"pictures\">\n";
    for (const toolchain::LandmarkPicture& picture : points.pictures) out += landmark_overlay(picture);
    out += "</div>\n";
  }
  return out;
}

std::string made_by(const Report& r, const toolchain::VersionResult& version) {
  std::string out = "<pre>";
  for (const std::string& command : r.commands) out += as_markup(command) + "\n";
  out += fmt::format("</pre>\n<p>anemone {} ({}, {}, {}); executed by {}. Nothing here ran on an Apple device{}.</p>\n",
                     as_markup(version.version), as_markup(version.build), as_markup(version.compiler),
                     as_markup(version.architecture), as_markup(r.machine),
                     device_of(r) ? " but what is marked as measured" : "");
  out += "<ul>\n";
  const plan::Plan& p = plan_of(r.after);
  for (const auto* notes : {&p.notes, &r.after.plan.notes, &r.after.analysis.notes}) {
    for (const std::string& note : *notes) out += fmt::format("<li>{}</li>\n", as_markup(note));
  }
  return out + fmt::format("<li>{}</li>\n</ul>\n", as_markup(p.latency.basis));
}

}  // namespace

std::string report_html(const Report& r, const toolchain::VersionResult& version) {
  const plan::Plan& p = plan_of(r.after);
  const Measurements* device = device_of(r);
  std::string body = fmt::format(
      "<p class=\"note\">Placement and latency are predictions for {} ({}) from rules and cost models; weakest evidence: "
      "{}. Numbers were executed on this machine{}.</p>\n",
      as_markup(p.chip), as_markup(p.compute_units), name(p.weakest_trust),
      device ? ", and measured ones say on which device" : "");
  body += section("Summary", summary(r));
  if (r.gate) body += section("Targets", targets(*r.gate));
  body += section("Placement", plan_figures(p) + plan_strip(p));
  if (r.before && !r.before->is_checkpoint)
    body += section("Placement before", plan_figures(plan_of(*r.before)) + plan_strip(plan_of(*r.before)));
  body += section("Findings, most expensive first", plan_findings(p.findings, p));
  body += section("Latency by device", devices(r));
  if (r.accuracy) body += section("Accuracy", accuracy(*r.accuracy));
  body += section("Architecture", architecture(r.after.analysis));
  if (r.before) body += section("Architecture before", architecture(r.before->analysis));
  body += section("Operations", plan_ops(p, device && !device->ops.empty() ? &device->ops : nullptr));
  body += section("How this page was made", made_by(r, version));
  return html_page("Report on " + r.after.model, body);
}

std::string report_text(const Report& r, const std::string& output, std::size_t bytes) {
  std::string out = fmt::format("wrote {}: {}\n", output, megabytes(bytes));
  if (r.baseline) {
    const auto& p = r.baseline->plans.front();
    out += fmt::format("  before    {:.1f} % by ONNX Runtime {}, in {}\n", p.coverage_percent(), to_text(p.target),
                       counted(static_cast<std::int64_t>(p.partitions.size()), "piece"));
  }
  const plan::Plan& p = plan_of(r.after);
  out += fmt::format("  after     {:.1f} % on the Neural Engine of {}, in {}, {} ms a call: a prediction\n",
                     p.coverage_percent, p.chip, counted(static_cast<std::int64_t>(p.partitions), "piece"),
                     milliseconds(p.latency.low, p.latency.high));
  if (r.accuracy)
    out += r.accuracy->verify.pass ? "  verified  the numbers agree\n"
                                   : "  NOT VERIFIED: " + r.accuracy->verify.reason + "\n";
  if (r.gate)
    out += fmt::format("  targets   {}\n", !r.gate->met   ? "no must is missed, and some are open"
                                           : *r.gate->met ? "every must is met"
                                                          : "a must is MISSED");
  return out;
}

std::string report_json(const Report& r, const std::string& output, std::size_t bytes) {
  return dump({{"schema", "anemone.report/1"},
               {"output", output},
               {"bytes", bytes},
               {"model", r.after.model},
               {"verified", r.accuracy ? Json(r.accuracy->verify.pass) : Json(nullptr)},
               {"targets_met", r.gate && r.gate->met ? Json(*r.gate->met) : Json(nullptr)}});
}

}  // namespace anemone::report
