// Conditions on operations, and the table of those that match.
#include "anemone/report/plan_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <unordered_set>

#include "anemone/report/words.h"
#include "anemone/support/utf8.h"

namespace anemone::report {
namespace {

using plan::Finding;
using plan::Plan;
using plan::PlannedOp;

struct Key {
  std::string_view name;
  std::string_view (*of)(const PlannedOp&);
};
constexpr std::array kKeys{
    Key{"unit", [](const PlannedOp& op) { return name(op.unit); }},
    Key{"type", [](const PlannedOp& op) { return std::string_view(op.type); }},
    Key{"code", [](const PlannedOp& op) { return std::string_view(op.verdict.code); }},
    Key{"supported", [](const PlannedOp& op) { return name(op.verdict.support); }},
    Key{"trust", [](const PlannedOp& op) { return name(op.verdict.trust); }},
    Key{"bound", [](const PlannedOp& op) { return std::string_view(op.bound); }},
};

struct Condition {
  std::string_view key, value;
};
Condition split(std::string_view text) {
  const std::size_t at = text.find('=');
  return {text.substr(0, at), at == std::string_view::npos ? std::string_view{} : text.substr(at + 1)};
}

const Key* find_key(std::string_view wanted) {
  const auto* found = std::find_if(kKeys.begin(), kKeys.end(), [&](const Key& key) { return key.name == wanted; });
  return found == kKeys.end() ? nullptr : found;
}

bool about(const Finding& finding, const std::string& op) {
  return std::find(finding.ops.begin(), finding.ops.end(), op) != finding.ops.end();
}

// A code is an operation's own when it was refused for it, or when a finding of that code names it.
bool matches(const Plan& plan, const PlannedOp& op, std::string_view text) {
  const Condition condition = split(text);
  const Key* key = find_key(condition.key);
  if (key && key->of(op) == condition.value) return true;
  return condition.key == "code" &&
         std::any_of(plan.findings.begin(), plan.findings.end(), [&](const Finding& finding) {
           return finding.code == condition.value && about(finding, op.output);
         });
}

}  // namespace

Result<void> check(const PlanView& view) {
  std::string names;
  for (const Key& key : kKeys) names += (names.empty() ? "" : ", ") + std::string(key.name);
  for (const std::string& text : view.where) {
    if (text.find('=') == std::string::npos)
      return bad_usage(fmt::format("'{}' is no condition", text), "write KEY=VALUE, as in unit=cpu");
    if (!find_key(split(text).key))
      return bad_usage(fmt::format("an operation has no '{}'", split(text).key), "what may be asked: " + names);
  }
  if (!view.group.empty() && !find_key(view.group))
    return bad_usage(fmt::format("an operation has no '{}'", view.group), "what may be asked: " + names);
  return {};
}

std::vector<std::size_t> selected(const Plan& plan, const PlanView& view) {
  std::vector<std::size_t> ops;
  for (std::size_t i = 0; i < plan.ops.size(); ++i) {
    const auto wanted = [&](const std::string& text) { return matches(plan, plan.ops[i], text); };
    if (std::all_of(view.where.begin(), view.where.end(), wanted)) ops.push_back(i);
  }
  if (view.top == 0) return ops;
  std::stable_sort(ops.begin(), ops.end(), [&](auto a, auto b) { return plan.ops[a].us > plan.ops[b].us; });
  ops.resize(std::min(ops.size(), view.top));
  return ops;
}

std::vector<const Finding*> findings_of(const Plan& plan, const PlanView& view, const std::vector<std::size_t>& ops) {
  std::unordered_set<std::string_view> codes, names;
  for (const std::string& text : view.where) {
    if (split(text).key == "code") codes.insert(split(text).value);
  }
  for (const std::size_t i : ops) names.insert(plan.ops[i].output);
  std::vector<const Finding*> found;
  for (const Finding& finding : plan.findings) {
    const bool named =
        std::any_of(finding.ops.begin(), finding.ops.end(), [&](const auto& op) { return names.contains(op); });
    if (codes.empty() ? named : codes.contains(finding.code)) found.push_back(&finding);
  }
  return found;
}

std::string per_op_table(const Plan& plan, const std::vector<std::size_t>& ops) {
  double total = 0;
  for (const PlannedOp& op : plan.ops) total += op.us;
  std::string out = fmt::format("\n{:<4} {:<16} {:>8} {:>5} {:>9} {:>8} {:<9} {}\n", "unit", "type", "us", "share",
                                "bytes", "MMAC", "bound by", "operation");
  for (const std::size_t i : ops) {
    const PlannedOp& op = plan.ops[i];
    out += fmt::format("{:<4} {:<16} {:>8.2f} {:>4.1f}% {:>9} {:>8.2f} {:<9} {}", name(op.unit), op.type, op.us,
                       total > 0 ? 100 * op.us / total : 0, op.bytes, static_cast<double>(op.macs) / 1e6, op.bound,
                       escaped(op.output));
    if (!op.verdict.code.empty()) out += fmt::format("  {}:", op.verdict.code);
    if (!op.verdict.reason.empty()) out += " " + escaped(op.verdict.reason);
    out += fmt::format(" ({})\n", name(op.verdict.trust));
  }
  return out;
}

std::string group_table(const Plan& plan, const PlanView& view, const std::vector<std::size_t>& ops) {
  struct Group {
    std::string_view value;
    std::size_t ops = 0, on_ane = 0;
    double us = 0;
  };
  const Key* key = find_key(view.group);
  if (!key) return {};
  std::vector<Group> groups;
  for (const std::size_t i : ops) {
    const PlannedOp& op = plan.ops[i];
    auto found = std::find_if(groups.begin(), groups.end(), [&](const Group& g) { return g.value == key->of(op); });
    if (found == groups.end()) found = groups.insert(found, {.value = key->of(op)});
    ++found->ops, found->on_ane += op.unit == plan::Unit::ane, found->us += op.us;
  }
  std::stable_sort(groups.begin(), groups.end(), [](const Group& a, const Group& b) { return a.us > b.us; });
  std::string out = fmt::format("\n{:<28} {:>6} {:>7} {:>11}\n", view.group, "ops", "on ANE", "us");
  for (const Group& g : groups)
    out += fmt::format("{:<28} {:>6} {:>7} {:>11.2f}\n", g.value.empty() ? "-" : g.value, g.ops, g.on_ane, g.us);
  return out;
}

std::map<std::string, std::pair<TypeTotal, TypeTotal>> by_type(const plan::Plan& before, const plan::Plan& after) {
  std::map<std::string, std::pair<TypeTotal, TypeTotal>> totals;
  const auto add = [](const plan::PlannedOp& op, TypeTotal& total) {
    ++total.ops, total.us += op.us, total.on_ane += op.unit == plan::Unit::ane;
  };
  for (const plan::PlannedOp& op : before.ops) add(op, totals[op.type].first);
  for (const plan::PlannedOp& op : after.ops) add(op, totals[op.type].second);
  return totals;
}

std::string outcome_text(const plan::Outcome& outcome, const Plan& now) {
  return fmt::format(
      "{}: {} of {} operations on the engine instead of {} of {}, {:.2f} ms by the planner instead of {:.2f}",
      outcome.how, outcome.on_ane, outcome.ops, now.on_ane, now.ops.size(), outcome.planner_ms, now.planner_ms);
}

std::string latency_text(const plan::LatencyRange& latency) {
  return latency.warning.empty() ? milliseconds(latency.low, latency.high) : "unknown";
}

}  // namespace anemone::report
