// How findings are collected, and those that follow from the placement.
#include "anemone/plan/ane/lint.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <queue>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

#include "anemone/plan/ane/verdict.h"

namespace anemone::ane {
namespace {

constexpr double kNoticeable = 0.02;  // ms: below this a different order of the program is not worth a word

// The border of the graph: fp32 operations that only bring the function's inputs to fp16.
enum class Border : std::uint8_t { none, cast, arithmetic };

std::vector<Border> border_of(const Placed& p) {
  std::vector<Border> border(p.nodes.size(), Border::none);
  std::unordered_map<const Node*, std::size_t> index;
  bool arithmetic = false;
  for (std::size_t i = 0; i < p.nodes.size(); ++i) {
    const Node& node = *p.nodes[i];
    const bool scales = node.type == "mul" || node.type == "add" || node.type == "sub" || node.type == "real_div";
    if (!scales && node.type != "cast") continue;
    bool from_border = true;
    for (const Value* value : runtime_operands(node)) {
      if (!value->producer) {
        from_border = from_border && value->type.dtype == DType::fp32;
        continue;
      }
      const auto found = index.find(value->producer);
      from_border = from_border && found != index.end() && border[found->second] == Border::arithmetic;
    }
    if (!from_border) continue;
    if (scales && node.output()->type.dtype == DType::fp32) {
      border[i] = Border::arithmetic;
      arithmetic = true;
      index[&node] = i;
    } else if (node.type == "cast") {
      border[i] = Border::cast;
    }
  }
  for (std::size_t i = 0; i < border.size() && arithmetic; ++i) {  // a cast after arithmetic belongs to it
    if (border[i] != Border::cast) continue;
    const Value* x = p.nodes[i]->input("x");
    if (x && x->producer && index.contains(x->producer)) border[i] = Border::arithmetic;
  }
  return border;
}

double gain_if_taken(const Placed& p, const std::vector<std::size_t>& ops) {
  std::vector<Step> steps = p.steps;
  for (const std::size_t i : ops) steps[i].ane = true;
  return 1e3 * (p.plan->planner_ms - cheapest_route(steps, p.device->planner).ms);
}

// A legal order that stays on one unit as long as it can, else as in the program.
std::vector<std::size_t> grouped_order(const Placed& p) {
  std::unordered_map<const Node*, std::size_t> index;
  for (std::size_t i = 0; i < p.nodes.size(); ++i) index[p.nodes[i]] = i;
  std::vector<std::size_t> waits(p.nodes.size(), 0);
  std::vector<std::vector<std::size_t>> users(p.nodes.size());
  for (std::size_t i = 0; i < p.nodes.size(); ++i) {
    for (const Value* value : runtime_operands(*p.nodes[i])) {
      const auto made = value->producer ? index.find(value->producer) : index.end();
      if (made == index.end()) continue;
      users[made->second].push_back(i);
      ++waits[i];
    }
  }
  using Ready = std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>>;
  Ready ready[2];
  const auto offer = [&](std::size_t i) { ready[p.steps[i].ane ? 0 : 1].push(i); };
  for (std::size_t i = 0; i < p.nodes.size(); ++i) {
    if (waits[i] == 0) offer(i);
  }
  std::vector<std::size_t> order;
  std::size_t side = 1;  // what precedes the engine comes first
  while (!ready[0].empty() || !ready[1].empty()) {
    if (ready[side].empty()) side = 1 - side;
    const std::size_t i = ready[side].top();
    ready[side].pop();
    order.push_back(i);
    for (const std::size_t user : users[i]) {
      if (--waits[user] == 0) offer(user);
    }
  }
  return order;
}

void lint_order(const Placed& p, Findings& findings) {
  if (p.plan->segments.size() < 4) return;
  const std::vector<std::size_t> order = grouped_order(p);
  if (order.size() != p.nodes.size()) return;
  std::vector<Step> steps;
  for (const std::size_t i : order) steps.push_back(p.steps[i]);
  const double saved = p.plan->planner_ms - cheapest_route(steps, p.device->planner).ms;
  if (saved < kNoticeable) return;
  std::size_t islands = 0;
  for (std::size_t s = 1; s + 1 < p.plan->segments.size(); ++s) {
    const Segment& segment = p.plan->segments[s];
    if (segment.unit == Unit::ane) continue;
    ++islands;
    for (std::size_t i = segment.begin; i < segment.begin + segment.ops; ++i) {
      if (!p.steps[i].ane) findings.at("ANE023", *p.nodes[i]);
    }
  }
  findings.at("ANE023").message = fmt::format(
      "{} islands off the engine lie in the middle of the program; in an order that groups units the planner would "
      "need {:.2f} ms less",
      islands, saved);
  findings.cost("ANE023", 1e3 * saved);
}

}  // namespace

Finding& Findings::at(std::string_view code) {
  for (Finding& finding : list_) {
    if (finding.code == code && finding.checked) return finding;
  }
  const Rule& r = rule(code);
  Finding finding{std::string(code),
                  std::string(r.name),
                  std::string(r.severity),
                  {},
                  std::string(r.instead),
                  std::string(r.command),
                  r.trust,
                  true,
                  {},
                  {}};
  list_.push_back(std::move(finding));
  return list_.back();
}

Finding& Findings::open(std::string_view code) {
  const Rule& r = rule(code);
  list_.push_back(
      {std::string(code), std::string(r.name), "info", {}, std::string(r.instead), {}, r.trust, false, {}, {}});
  return list_.back();
}

Finding& Findings::at(std::string_view code, const Node& node) {
  Finding& finding = at(code);
  finding.ops.push_back(node.outputs.empty() ? node.name : node.output()->name);
  return finding;
}

void Findings::cost(std::string_view code, double us) {
  Finding& finding = at(code);
  finding.cost_us = finding.cost_us.value_or(0) + us;
}

std::vector<Finding> Findings::take() {
  const auto rank = [](const Finding& f) { return f.severity == "error" ? 0 : f.severity == "warn" ? 1 : 2; };
  for (Finding& finding : list_) {
    if (finding.message.empty())
      finding.message = fmt::format("{}: {}", rule(finding.code).what, rule(finding.code).why);
  }
  std::stable_sort(list_.begin(), list_.end(), [&](const Finding& a, const Finding& b) {
    const double x = a.cost_us.value_or(0), y = b.cost_us.value_or(0);
    return std::tuple(!a.checked, -x, rank(a), a.code) < std::tuple(!b.checked, -y, rank(b), b.code);
  });
  return std::move(list_);
}

void lint_placement(const Placed& p, Findings& findings) {
  const std::vector<Border> border = border_of(p);
  std::map<std::string, std::vector<std::size_t>> by_code;
  std::vector<std::size_t> dragged;
  for (std::size_t i = 0; i < p.nodes.size(); ++i) {
    const PlannedOp& op = p.plan->ops[i];
    if (op.verdict.support == Support::yes) {
      if (op.unit == Unit::cpu && p.steps[i].ane) dragged.push_back(i);
      continue;
    }
    if (op.verdict.code == "WHATIF") continue;
    by_code[border[i] == Border::arithmetic ? "ANE012" : op.verdict.code].push_back(i);
  }
  for (const auto& [code, ops] : by_code) {
    bool only_border = true, unknown = false;
    for (const std::size_t i : ops) {
      Finding& finding = findings.at(code, *p.nodes[i]);
      const Verdict& verdict = p.plan->ops[i].verdict;
      finding.trust = ops.front() == i ? verdict.trust : weakest(finding.trust, verdict.trust);
      only_border = only_border && border[i] == Border::cast;
      unknown = unknown || verdict.support == Support::unknown;
    }
    Finding& finding = findings.at(code);
    const bool allowed =
        p.plan->compute_units == name(ComputeUnits::cpu_ne) || p.plan->compute_units == name(ComputeUnits::all);
    const double gain = allowed ? gain_if_taken(p, ops) : 0;
    if (p.plan->on_ane > 0 || gain > 0) finding.cost_us = std::max(0.0, gain);
    const std::string& reason = p.plan->ops[ops[0]].verdict.reason;
    finding.message = ops.size() == 1 ? reason : fmt::format("{}, and {} more operations", reason, ops.size() - 1);
    if (unknown) finding.message += "; what is unknown counts as off the engine";
    if (code == "ANE012") {
      finding.message = fmt::format("{} fp32 operations prepare the input before the program is fp16", ops.size());
    } else if (only_border && code == "ANE001") {
      finding.severity = "info";
      finding.message = "the cast at the border of the program stays off the engine on this generation";
      finding.instead = "nothing: one pass over the input; fp16 input avoids it";
      finding.command = "anemone convert MODEL -o OUT.mlpackage --input tensor";
    }
  }
  if (!dragged.empty()) {
    for (const std::size_t i : dragged) findings.at("ANE022", *p.nodes[i]);
    findings.at("ANE022").message = fmt::format(
        "{} operations that the engine could take run on the CPU: going there would cost more than it saves",
        dragged.size());
  }
  lint_order(p, findings);
}

}  // namespace anemone::ane
