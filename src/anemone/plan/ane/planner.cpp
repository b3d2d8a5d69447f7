// Puts the parts together: verdict, cost, route, segments, latency, findings, notes.
#include "anemone/plan/ane/planner.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "anemone/plan/ane/latency.h"
#include "anemone/plan/ane/notes.h"
#include "anemone/plan/ane/rules.h"
#include "anemone/plan/ane/verdict.h"

namespace anemone::plan::ane {
namespace {

std::vector<const Node*> counted_nodes(const Function& function) {
  std::vector<const Node*> nodes;
  for_each_node(function.body, [&](const Node& node) {
    if (!is(node, kConstexpr)) nodes.push_back(&node);
  });
  return nodes;
}

void judge_all(Subject& p, Plan& plan, const PlanOptions& options) {
  const std::unordered_set<const Value*> outputs(p.function->body.outputs().begin(), p.function->body.outputs().end());
  const bool gpu = options.units == ComputeUnits::all || options.units == ComputeUnits::cpu_gpu;
  const bool ane = options.units == ComputeUnits::all || options.units == ComputeUnits::cpu_ne;
  const WholeProgram whole = look_at_whole(*p.function);
  for (const Node* node : p.nodes) {
    PlannedOp op;
    op.output = name_of(*node);
    op.type = node->type;
    op.origin = node->origin;
    Judged judged = judge(*node, *p.device, whole, options.off);
    op.verdict = std::move(judged.verdict);
    p.refused_by.push_back(judged.rule);
    Step step;
    step.cost = planner_cost(*node, *p.device);
    step.ane = ane && op.verdict.support == Support::yes;
    step.gpu = gpu && node->blocks.empty() && !node->block().parent();
    step.gives_output = std::any_of(node->outputs.begin(), node->outputs.end(),
                                    [&](const auto& v) { return outputs.contains(v.get()); });
    op.bytes = step.cost.bytes;
    op.macs = step.cost.macs;
    op.bound = step.cost.bound;
    op.estimates = {1e3 * step.cost.ane_ms, 1e3 * step.cost.bnns_ms, 1e3 * step.cost.classic_ms, 1e3 * step.cost.gpu_ms,
                    step.cost.trust};
    if (op.verdict.support == Support::yes) ++plan.supported;
    plan.weakest_trust = weakest(plan.weakest_trust, weakest(op.verdict.trust, step.cost.trust));
    p.steps.push_back(step);
    plan.ops.push_back(std::move(op));
  }
}

void cut_segments(const Subject& p, Plan& plan) {
  std::unordered_map<const Node*, std::size_t> index;
  for (std::size_t i = 0; i < p.nodes.size(); ++i) index[p.nodes[i]] = i;
  std::unordered_set<const Value*> crossing, entered;
  for (std::size_t i = 0; i < plan.ops.size(); ++i) {
    const PlannedOp& op = plan.ops[i];
    if (plan.segments.empty() || plan.segments.back().unit != op.unit) {
      plan.segments.push_back({op.unit, i, 0, op.output, {}, 0, 0});
      entered = {};  // clear() would walk the buckets of the largest segment again and again
    }
    Segment& segment = plan.segments.back();
    ++segment.ops;
    segment.last = op.output;
    segment.us += op.us;
    for (const Value* value : runtime_operands(*p.nodes[i])) {
      const auto made = value->producer ? index.find(value->producer) : index.end();
      if (made == index.end() || plan.ops[made->second].unit == op.unit) continue;
      if (crossing.insert(value).second) plan.crossing_bytes += bytes_of(*value);
      if (entered.insert(value).second) segment.bytes_in += bytes_of(*value);
    }
  }
  plan.partitions = static_cast<std::size_t>(
      std::count_if(plan.segments.begin(), plan.segments.end(), [](const Segment& s) { return s.unit == Unit::ane; }));
}

// Operations of which nothing is known, or only what somebody guessed.
double percent_without_evidence(const Plan& plan) {
  const auto count = std::count_if(plan.ops.begin(), plan.ops.end(), [](const PlannedOp& op) {
    return op.verdict.support == Support::unknown || op.verdict.trust == Trust::guessed;
  });
  return plan.ops.empty() ? 0 : 100.0 * static_cast<double>(count) / static_cast<double>(plan.ops.size());
}

void estimate_latency(const Subject& p, Plan& plan) {
  constexpr double kTooMuch = 20;  // percent
  std::vector<Unit> units;
  for (const PlannedOp& op : plan.ops) units.push_back(op.unit);
  const LayerEstimate layers = layer_model(*p.function, p.nodes, p.steps, units, plan.crossing_bytes, *p.device);
  const Trust trust = weakest(p.device->trust(), Trust::computed);
  LatencyRange& latency = plan.latency;
  const bool clone = !p.device->clone_of.empty();
  const double spread = plan.partitions == 0 ? 1.8 : p.device->spread();
  constexpr double kResolved = 1e-3;  // ms: nothing shorter was ever told apart, and no call takes no time
  latency.low = std::max(layers.ms / spread, kResolved / 10);
  latency.high = std::max(layers.ms * spread, kResolved);
  latency.basis = fmt::format(
      "prediction for one warm call of the native model on {}: the layer model's {:.2f} ms by a factor of {} down and up{}; "
      "nothing was measured on this model",
      p.device->chip, layers.ms, spread,
      clone                  ? fmt::format(", wide because the constants are those of {}", p.device->clone_of)
      : plan.partitions == 0 ? std::string(", wide because nothing of it runs on the engine")
                             : "");
  if (const double unknown = percent_without_evidence(plan); unknown > kTooMuch)
    latency.warning = fmt::format("unknown: there is no evidence about {:.0f} % of the operations", unknown);
  const auto part = [&](std::string_view what, double low, double high, std::string_view basis, Trust t) {
    latency.parts.push_back({std::string(what), low, high, std::string(basis), t});
  };
  part("planner estimate", plan.planner_ms, plan.planner_ms,
       "cost leaves and bandwidths from the system planner's logs; decides the placement", trust);
  part("layer model", layers.ms, layers.ms,
       fmt::format(
           "{} hardware layers after fusion; four of five published latencies that it was not fitted to lie within a "
           "factor of 1.34 (docs/evidence/latency.md)",
           layers.layers),
       trust);
  part("input and output", layers.io_ms, layers.io_ms,
       "copies between the application and the engine; part of the layer model", trust);
  if (plan.partitions == 0) return;
  part("low frame rate", 2.5 * latency.low, 2.9 * latency.high,
       "clocks fall in gaps of 0.4 ms and more: 2.5 to 2.9 times slower, seen on one chip", Trust::guessed);
  part("first call after idling", latency.low + 7, latency.high + 50,
       "7 ms more after 6 s without work, 50 ms after the engine was switched off; loading is not in it",
       Trust::guessed);
}

}  // namespace

Plan make_plan(const Function& function, const Device& device, const PlanOptions& options) {
  Subject p;
  p.function = &function;
  p.interface = options.interface ? options.interface : &function.interface;
  p.device = &device;
  p.nodes = counted_nodes(function);
  Plan plan;
  plan.device = device.name;
  plan.chip = device.chip;
  plan.compute_units = name(options.units);
  // The route is computed, whatever its figures rest on; what entering the GPU costs is a guess.
  const bool gpu = options.units == ComputeUnits::all || options.units == ComputeUnits::cpu_gpu;
  plan.weakest_trust = weakest(device.trust(), gpu ? Trust::guessed : Trust::computed);
  judge_all(p, plan, options);
  const Route route = cheapest_route(p.steps, device.planner);
  plan.planner_ms = route.ms;
  for (std::size_t i = 0; i < plan.ops.size(); ++i) {
    plan.ops[i].unit = route.units[i];
    plan.ops[i].us = 1e3 * p.steps[i].cost.on(route.units[i]);
    if (route.units[i] == Unit::ane) ++plan.on_ane;
  }
  plan.coverage_percent =
      plan.ops.empty() ? 0 : 100.0 * static_cast<double>(plan.on_ane) / static_cast<double>(plan.ops.size());
  p.plan = &plan;
  explain_dragged(p, plan);
  cut_segments(p, plan);
  estimate_latency(p, plan);
  if (!options.find) return plan;
  plan.findings = report_all(p, options.lint_weights).take();
  plan.notes = notes_on(p, options);
  return plan;
}

}  // namespace anemone::plan::ane
