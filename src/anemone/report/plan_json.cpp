// Plans as JSON, with the keys of the contract. Keys are only ever added.
#include "anemone/report/plan_json.h"

#include <map>

#include "anemone/report/json_parts.h"

namespace anemone::report {
namespace {

using plan::Plan;
using plan::PlannedOp;

Json segments(const Plan& plan) {
  Json out = Json::array();
  for (const plan::Segment& s : plan.segments) {
    out.push_back({{"unit", name(s.unit)},
                   {"ops", s.ops},
                   {"first", s.first},
                   {"last", s.last},
                   {"bytes_in", s.bytes_in},
                   {"us", thousandths(s.us)}});
  }
  return out;
}

Json verdicts(const Plan& plan, const PlanView& view) {
  double total = 0;
  for (const PlannedOp& op : plan.ops) total += op.us;
  Json out = Json::array();
  for (const std::size_t i : selected(plan, view)) {
    const PlannedOp& op = plan.ops[i];
    Json j{{"op", op.output},
           {"type", op.type},
           {"unit", name(op.unit)},
           {"supported", op.verdict.support == plan::Support::yes},
           {"support", name(op.verdict.support)},
           {"code", op.verdict.code},
           {"reason", op.verdict.reason},
           {"trust", name(op.verdict.trust)},
           {"instead", op.verdict.instead},
           {"us", thousandths(op.us)},
           {"share_percent", total > 0 ? thousandths(100 * op.us / total) : 0},
           {"bytes", op.bytes},
           {"macs", op.macs},
           {"bound", op.bound},
           {"estimates_us",
            {{"ane", thousandths(op.estimates.ane)},
             {"bnns", thousandths(op.estimates.bnns)},
             {"classic_cpu", thousandths(op.estimates.classic_cpu)},
             {"gpu", thousandths(op.estimates.gpu)},
             {"trust", name(op.estimates.trust)}}}};
    if (!op.origin.empty()) j["origin"] = op.origin;
    out.push_back(std::move(j));
  }
  return out;
}

Json latency(const plan::LatencyRange& l) {
  Json parts = Json::array();
  for (const plan::LatencyPart& p : l.parts)
    parts.push_back({{"name", p.name},
                     {"low", thousandths(p.low)},
                     {"high", thousandths(p.high)},
                     {"basis", p.basis},
                     {"trust", name(p.trust)}});
  return {{"low", thousandths(l.low)},
          {"high", thousandths(l.high)},
          {"basis", l.basis},
          {"warning", l.warning},
          {"parts", parts}};
}

Json ops(const Plan& plan) {
  std::map<std::string, std::size_t> by_type;
  for (const PlannedOp& op : plan.ops) ++by_type[op.type];
  return {{"total", plan.ops.size()}, {"ane", plan.on_ane}, {"supported", plan.supported}, {"by_type", Json(by_type)}};
}

// Everything but the list of operations: also the row of a table.
void summary(Json& out, const Plan& plan) {
  out["device"] = plan.device;
  out["chip"] = plan.chip;
  out["compute_units"] = plan.compute_units;
  out["prediction"] = true;
  out["evidence"] = name(plan.weakest_trust);
  out["ops"] = ops(plan);
  out["coverage_percent"] = thousandths(plan.coverage_percent);
  out["partitions"] = plan.partitions;
  out["segments"] = segments(plan);
  out["planner_ms"] = thousandths(plan.planner_ms);
  out["crossing_bytes"] = plan.crossing_bytes;
  out["latency_ms"] = latency(plan.latency);
}

}  // namespace

std::string plan_json(const toolchain::PlanResult& result, const PlanView& view) {
  Json out{{"schema", "anemone.plan/1"}, {"model", result.model}};
  if (result.plans.size() > 1) {
    Json list = Json::array();
    for (const Plan& plan : result.plans) {
      Json row;
      summary(row, plan);
      list.push_back(std::move(row));
    }
    out["devices"] = std::move(list);
    out["notes"] = result.notes;
    return dump(out);
  }
  const Plan& plan = result.plans.front();
  summary(out, plan);
  out["verdicts"] = verdicts(plan, view);
  out["findings"] = findings(plan.findings);
  std::vector<std::string> notes = plan.notes;
  notes.insert(notes.end(), result.notes.begin(), result.notes.end());
  out["notes"] = notes;
  out["seconds"] = result.seconds;
  return dump(out);
}

std::string plan_rows_json(const std::vector<PlanRow>& rows) {
  Json list = Json::array();
  for (const PlanRow& row : rows) {
    Json one{{"model", row.model}};
    if (row.plan) {
      summary(one, *row.plan);
    } else {
      one["error"] = row.problem.message;
    }
    list.push_back(std::move(one));
  }
  return dump({{"schema", "anemone.plan-models/1"}, {"models", list}});
}

std::string plan_comparison_json(const toolchain::PlanResult& before, const toolchain::PlanResult& after) {
  Json types = Json::array();
  const auto total = [](const TypeTotal& t) {
    return Json{{"ops", t.ops}, {"ane", t.on_ane}, {"us", thousandths(t.us)}};
  };
  for (const auto& [type, sides] : by_type(before.plans.front(), after.plans.front()))
    types.push_back({{"type", type}, {"before", total(sides.first)}, {"after", total(sides.second)}});
  Json a, b;
  summary(a, before.plans.front());
  summary(b, after.plans.front());
  Json out{{"schema", "anemone.plan-comparison/1"}, {"prediction", true}};
  out["before"] = Json{{"model", before.model}};
  out["before"].update(a);
  out["after"] = Json{{"model", after.model}};
  out["after"].update(b);
  out["by_type"] = types;
  out["planner_ms_saved"] = thousandths(before.plans.front().planner_ms - after.plans.front().planner_ms);
  return dump(out);
}

}  // namespace anemone::report
