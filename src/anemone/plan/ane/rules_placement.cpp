// Rules that follow from the placement: what refusals cost, what is dragged along, and in what order.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <queue>
#include <unordered_map>

#include "anemone/plan/ane/rules.h"
#include "anemone/support/text.h"

namespace anemone::plan::ane {
namespace {

constexpr double kNoticeable = 0.02;  // ms: below this a different order of the program is not worth a word

// The border of the graph: fp32 operations that only bring the function's inputs to fp16.
enum class Border : std::uint8_t { none, cast, arithmetic };

constexpr Ops kScales{"mul", "add", "sub", "real_div"}, kCast{"cast"};

std::vector<Border> border_of(const Subject& s) {
  std::vector<Border> border(s.nodes.size(), Border::none);
  std::unordered_map<const Node*, std::size_t> index;
  bool arithmetic = false;
  for (std::size_t i = 0; i < s.nodes.size(); ++i) {
    const Node& node = *s.nodes[i];
    const bool scales = kScales.has(node);
    if (!scales && !kCast.has(node)) continue;
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
    } else if (!scales) {
      border[i] = Border::cast;
    }
  }
  for (std::size_t i = 0; i < border.size() && arithmetic; ++i) {  // a cast after arithmetic belongs to it
    if (border[i] != Border::cast) continue;
    const Value* x = s.nodes[i]->input("x");
    if (x && x->producer && index.contains(x->producer)) border[i] = Border::arithmetic;
  }
  return border;
}

Outcome if_taken(const Subject& s, const std::vector<std::size_t>& ops) {
  std::vector<Step> steps = s.steps;
  for (const std::size_t i : ops) steps[i].ane = true;
  const Route route = cheapest_route(steps, s.device->planner);
  const auto on_ane = static_cast<std::size_t>(std::count(route.units.begin(), route.units.end(), Unit::ane));
  return {"were they taken", steps.size(), on_ane, route.ms};
}

// A legal order that stays on one unit as long as it can, else as in the program.
std::vector<std::size_t> grouped_order(const Subject& s) {
  std::unordered_map<const Node*, std::size_t> index;
  for (std::size_t i = 0; i < s.nodes.size(); ++i) index[s.nodes[i]] = i;
  std::vector<std::size_t> waits(s.nodes.size(), 0);
  std::vector<std::vector<std::size_t>> users(s.nodes.size());
  for (std::size_t i = 0; i < s.nodes.size(); ++i) {
    for (const Value* value : runtime_operands(*s.nodes[i])) {
      const auto made = value->producer ? index.find(value->producer) : index.end();
      if (made == index.end()) continue;
      users[made->second].push_back(i);
      ++waits[i];
    }
  }
  using Ready = std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>>;
  Ready ready[2];
  const auto offer = [&](std::size_t i) { ready[s.steps[i].ane ? 0 : 1].push(i); };
  for (std::size_t i = 0; i < s.nodes.size(); ++i) {
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

bool is_dragged(const Subject& s, std::size_t i) { return s.plan->ops[i].unit != Unit::ane && s.steps[i].ane; }

void dragged_along(const Subject& s, Report report) {
  std::size_t dragged = 0;
  for (std::size_t i = 0; i < s.nodes.size(); ++i) {
    if (!is_dragged(s, i)) continue;
    report.at(name_of(*s.nodes[i]));
    ++dragged;
  }
  if (dragged == 0) return;
  report.finding().message =
      fmt::format("{} that the engine could take {} elsewhere: going there would cost more than it saves",
                  counted(static_cast<std::int64_t>(dragged), "operation"), dragged == 1 ? "runs" : "run");
}

void side_branches(const Subject& s, Report report) {
  if (s.plan->segments.size() < 4) return;
  const std::vector<std::size_t> order = grouped_order(s);
  if (order.size() != s.nodes.size()) return;
  std::vector<Step> steps;
  for (const std::size_t i : order) steps.push_back(s.steps[i]);
  const double saved = s.plan->planner_ms - cheapest_route(steps, s.device->planner).ms;
  if (saved < kNoticeable) return;
  std::size_t islands = 0;
  for (std::size_t k = 1; k + 1 < s.plan->segments.size(); ++k) {
    const Segment& segment = s.plan->segments[k];
    if (segment.unit == Unit::ane) continue;
    ++islands;
    for (std::size_t i = segment.begin; i < segment.begin + segment.ops; ++i) {
      if (!s.steps[i].ane) report.at(name_of(*s.nodes[i]));
    }
  }
  report.finding().message = fmt::format(
      "{} islands off the engine lie in the middle of the program; in an order that groups units the planner would "
      "need {:.2f} ms less",
      islands, saved);
  report.cost(1e3 * saved);
}

// An image encoder with nearly all of its work in matrix products took 584 ms on the engine and 205 on the GPU.
void gpu_may_be_faster(const Subject& s, Report report) {
  constexpr Ops kProducts{"linear", "matmul", "einsum", "scaled_dot_product_attention"};
  constexpr double kLong = 50;  // ms by the planner's estimate
  double products = 0, all = 0, ms = 0;
  for (std::size_t i = 0; i < s.nodes.size(); ++i) {
    const double macs = static_cast<double>(s.steps[i].cost.macs);
    all += macs;
    if (!kProducts.has(*s.nodes[i]) || s.plan->ops[i].unit != Unit::ane) continue;
    products += macs;
    ms += s.steps[i].cost.ane_ms;
  }
  if (ms < kLong || products < 0.5 * all) return;
  report.finding().message = fmt::format(
      "{:.0f} GMAC in matrix products take {:.0f} ms of the engine by the planner's estimate", products / 1e9, ms);
}

constexpr Rule kPreprocessing{.text = {.code = "ANE012",
                                       .name = "fp32-preprocessing",
                                       .what = "an image's scale or bias as fp32 operations",
                                       .why = "they run on the CPU before the cast",
                                       .instead = "cast first, then scale in fp16",
                                       .effect = Effect::leaves_engine,
                                       .severity = "warn",
                                       .trust = Trust::measured,
                                       .source = "659 operations of STAR against its Xcode report",
                                       .command = "anemone convert MODEL -o OUT.mlpackage"}};

constexpr Rule kTooSmall{
    .text = {.code = "ANE022",
             .name = "too-small",
             .what = "a graph or an island whose gain is below the cost of going to the engine (0.25 and 0.375 ms)",
             .why = "the planner keeps it on the CPU",
             .instead = "batch the work, or let it run there",
             .effect = Effect::leaves_engine,
             .severity = "warn",
             .trust = Trust::reported,
             .source = "planner logs of 482 models on an M4"},
    .surveys = dragged_along};

constexpr Rule kSideBranch{.text = {.code = "ANE023",
                                    .name = "side-branch",
                                    .what = "operations off the engine in the middle of the program",
                                    .why = "the planner follows program order: each island costs two switches",
                                    .instead = "emit side branches last",
                                    .effect = Effect::slower,
                                    .severity = "warn",
                                    .trust = Trust::reported,
                                    .source = "planner logs; computed here"},
                           .surveys = side_branches};

constexpr Rule kGpuMayBeFaster{
    .text =
        {.code = "ANE043",
         .name = "gpu-may-be-faster",
         .what = "a large network whose work lies in matrix products",
         .why =
             "the engine's rate for them is low: an image encoder took 584 ms on the engine of an A19 Pro, 205 on its GPU",
         .instead = "measure with cpu-gpu, too",
         .effect = Effect::slower,
         .severity = "info",
         .trust = Trust::reported,
         .source = "john-rocky/CoreML-LLM; on a Mac the same encoder was faster on the engine, 473 ms against 3800"},
    .surveys = gpu_may_be_faster};

}  // namespace

std::span<const Rule* const> placement_rules() {
  static constexpr std::array kRules{&kPreprocessing, &kTooSmall, &kSideBranch, &kGpuMayBeFaster};
  return kRules;
}

void explain_dragged(const Subject& s, Plan& plan) {
  const PlannerCost& p = s.device->planner;
  for (std::size_t begin = 0, end = 0; begin < s.nodes.size(); begin = end + 1) {
    double gain = 0;
    for (end = begin; end < s.nodes.size() && is_dragged(s, end); ++end)
      gain += s.steps[end].cost.on(plan.ops[end].unit) - s.steps[end].cost.ane_ms;
    if (begin == end) continue;
    const bool starts = begin == 0, ends = end == s.nodes.size();
    const bool beside =
        (!starts && plan.ops[begin - 1].unit == Unit::ane) || (!ends && plan.ops[end].unit == Unit::ane);
    const double price = p.launch_ms + (starts ? 0 : p.switch_ms) + (ends ? p.output_ms : p.switch_ms);
    std::string reason = fmt::format("the engine takes it, but this run of {} would save {:.3f} ms there",
                                     counted(static_cast<std::int64_t>(end - begin), "operation"), gain);
    reason += beside ? "" : fmt::format(", and going there costs {:.3f} ms", price);
    for (std::size_t i = begin; i < end; ++i) {
      plan.ops[i].verdict.code = kTooSmall.text.code;
      plan.ops[i].verdict.reason = reason;
    }
  }
}

void report_refusals(const Subject& s, Findings& findings) {
  const std::vector<Border> border = border_of(s);
  std::map<std::string_view, std::pair<const Rule*, std::vector<std::size_t>>> by_code;
  for (std::size_t i = 0; i < s.nodes.size(); ++i) {
    const Rule* rule = s.refused_by[i];
    if (!rule) continue;
    if (border[i] == Border::arithmetic) rule = &kPreprocessing;
    auto& entry = by_code[rule->text.code];
    entry.first = rule;
    entry.second.push_back(i);
  }
  const bool allowed =
      s.plan->compute_units == name(ComputeUnits::cpu_ne) || s.plan->compute_units == name(ComputeUnits::all);
  for (const auto& [code, entry] : by_code) {
    const auto& [rule, ops] = entry;
    Report report(findings, rule->text);
    Finding& finding = report.finding();
    bool only_casts = true, unknown = false;
    for (const std::size_t i : ops) {
      const Verdict& verdict = s.plan->ops[i].verdict;
      report.at(name_of(*s.nodes[i]));
      finding.trust = ops.front() == i ? verdict.trust : weakest(finding.trust, verdict.trust);
      only_casts = only_casts && border[i] == Border::cast;
      unknown = unknown || verdict.support == Support::unknown;
    }
    if (allowed) {
      const Outcome without = if_taken(s, ops);
      const double gain = 1e3 * (s.plan->planner_ms - without.planner_ms);
      if (s.plan->on_ane > 0 || gain > 0) finding.cost_us = std::max(0.0, gain);
      finding.without = without;
    } else if (s.plan->on_ane > 0) {
      finding.cost_us = 0;
    }
    const std::string& reason = s.plan->ops[ops[0]].verdict.reason;
    finding.message =
        ops.size() == 1
            ? reason
            : fmt::format("{}, and {}", reason, counted(static_cast<std::int64_t>(ops.size() - 1), "more operation"));
    if (unknown) finding.message += "; what is unknown counts as off the engine";
    if (rule == &kPreprocessing) {
      finding.message = fmt::format("{} fp32 operations prepare the input before the program is fp16", ops.size());
    } else if (only_casts && rule == &kFp32Tensor) {
      finding.severity = "info";
      finding.message = "the cast at the border of the program stays off the engine on this generation";
      finding.instead = "nothing: one pass over the input; fp16 input avoids it";
      finding.command = "anemone convert MODEL -o OUT.mlpackage --input tensor";
    }
  }
}

}  // namespace anemone::plan::ane
