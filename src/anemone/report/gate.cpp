// A line a limit.
#include "anemone/report/gate.h"

#include <fmt/format.h>

#include <algorithm>

#include "anemone/report/json_parts.h"
#include "anemone/support/utf8.h"

namespace anemone::report {
namespace {

using toolchain::GateRow;

Json yes_no_or_open(const std::optional<bool>& met) { return met ? Json(*met) : Json(nullptr); }

}  // namespace

std::string wanted_text(const GateRow& row) {
  return fmt::format("{} {:.6g}", toolchain::row_of(row.quantity).at_least ? ">" : "<", row.wanted);
}

std::string got_text(const GateRow& row) {
  return row.got ? fmt::format("{}{:.4g}", row.bound ? "<= " : "", *row.got) : "-";
}

std::string prediction_text(const GateRow& row) {
  if (!row.prediction) return {};
  const auto& p = *row.prediction;
  return p.low == p.high ? fmt::format("{:.4g} ({})", p.low, p.evidence)
                         : fmt::format("{:.3g} to {:.3g} ({})", p.low, p.high, p.evidence);
}

std::string_view verdict_text(const GateRow& row) { return !row.met ? "open" : *row.met ? "met" : "MISSED"; }

std::string gate_text(const toolchain::GateResult& r) {
  std::string out = fmt::format("{} against {}\n", r.model, r.targets);
  std::size_t width = 8;
  for (const GateRow& row : r.rows) width = std::max(width, toolchain::row_of(row.quantity).name.size());
  out += fmt::format("  {:<{}}  {:<7}  {:>7}  {:>8}  {:<9}  {}\n", "quantity", width, "level", "wanted", "got", "basis",
                     "verdict");
  const GateRow* before = nullptr;
  std::string open;
  for (const GateRow& row : r.rows) {
    const bool first = !before || before->quantity != row.quantity;
    const auto quantity = toolchain::row_of(row.quantity).name;
    out += fmt::format("  {:<{}}  {:<7}  {:>7}  {:>8}  {:<9}  {}\n", first ? quantity : "", width, row.level,
                       wanted_text(row), got_text(row), name(row.got_basis.value_or(row.basis)), verdict_text(row));
    if (!row.met && (first || before->met)) {
      open += fmt::format("open: {}: {}\n", quantity, row.why_open);
      if (row.prediction) open += fmt::format("  predicted for {}: {}\n", r.chip, prediction_text(row));
    }
    before = &row;
  }
  out += open;
  for (const std::string& note : r.notes) out += fmt::format("note: {}\n", note);
  if (!r.met) return out + "no must is missed, and some are open\n";
  return out + (*r.met ? "every must is met\n" : "a must is missed\n");
}

std::string gate_json(const toolchain::GateResult& r) {
  Json targets = Json::array();
  for (const GateRow& row : r.rows) {
    const auto& prediction = row.prediction;
    targets.push_back({{"name", toolchain::row_of(row.quantity).name},
                       {"level", row.level},
                       {"wanted", row.wanted},
                       {"at_least", toolchain::row_of(row.quantity).at_least},
                       {"got", row.got ? number(*row.got) : Json(nullptr)},
                       {"basis", name(row.basis)},
                       {"met", yes_no_or_open(row.met)},
                       {"got_basis", row.got_basis ? Json(name(*row.got_basis)) : Json(nullptr)},
                       {"bound", row.bound},
                       {"source", row.source},
                       {"why_open", row.why_open},
                       {"prediction", prediction ? Json{{"low", thousandths(prediction->low)},
                                                        {"high", thousandths(prediction->high)},
                                                        {"evidence", prediction->evidence}}
                                                 : Json(nullptr)}});
  }
  return dump({{"schema", "anemone.gate/1"},
               {"model", r.model},
               {"targets_file", r.targets},
               {"chip", r.chip},
               {"targets", targets},
               {"notes", r.notes},
               {"met", yes_no_or_open(r.met)}});
}

}  // namespace anemone::report
