// The Neural Engine's view: the planner's verdicts, gathered by kind. There is no second opinion here.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "anemone/plan/ane/planner.h"
#include "anemone/toolchain/analyze_parts.h"
#include "anemone/toolchain/plan_model.h"

namespace anemone::toolchain::analysis {
namespace {

/// A checkpoint is judged as the package that it becomes, as `plan` does, and so is a program in another precision; else
/// a program as it is.
Result<plan::Plan> plan_of(const Model& model, const Function& function, const Interface& declared,
                           const AnalyzeRequest& request, Analysis& out) {
  if (model.is_checkpoint() || request.precision) {
    PlanRequest wanted;
    wanted.device = request.device;
    wanted.precision = request.precision;
    TRY(PlanResult planned, plan_model(model, wanted));
    return std::move(planned.plans.front());
  }
  TRY(const plan::ane::Device* device, find_device(request.device));
  plan::ane::PlanOptions options;
  options.interface = &declared;
  options.lint_weights = out.weights.bytes <= request.scan_limit;
  return plan::ane::make_plan(function, *device, options);
}

void judge_kind(const Model& model, const plan::Plan& plan, LayerKind& kind) {
  std::map<std::string, std::int64_t> objections;
  std::int64_t refused = 0;
  plan::Trust trust = plan::Trust::measured;
  EngineOpinion& opinion = kind.engine;
  for (const plan::PlannedOp& op : plan.ops) {
    if (kind_of_op(model, op.type, op.origin, op.macs) != kind.kind) continue;
    ++opinion.ops;
    trust = weakest(trust, op.verdict.trust);
    if (op.verdict.support == plan::Support::yes) {
      ++opinion.taken;
      continue;
    }
    refused += op.verdict.support == plan::Support::no;
    const std::int64_t often = ++objections[op.verdict.code];
    if (opinion.reason.empty() || often > objections[opinion.code]) {
      opinion.code = op.verdict.code;
      opinion.reason = op.verdict.reason;
    }
  }
  opinion.ane = opinion.taken == opinion.ops ? "compatible" : refused == opinion.ops ? "incompatible" : "conditional";
  if (opinion.ops > 0) {
    opinion.trust = name(trust);
  } else if (kind.ops > 0) {
    opinion.reason = model.is_checkpoint() ? "the conversion folds them into other operations"
                                           : "constant at the size that was judged";
  } else {
    opinion.reason = "nothing of this kind executes";
  }
}

}  // namespace

void ask_engine(const Model& model, const Function& function, const Interface& declared, const AnalyzeRequest& request,
                Analysis& out) {
  auto plan = plan_of(model, function, declared, request, out);
  if (!plan) {
    out.notes.push_back("the Neural Engine's view is missing: " + plan.error().front().message);
    return;
  }
  // What the conversion itself brings in (an image's scale) has a line of its own.
  for (const plan::PlannedOp& op : plan->ops) {
    const std::string kind = kind_of_op(model, op.type, op.origin, op.macs);
    const bool known = std::any_of(out.layers.composition.begin(), out.layers.composition.end(),
                                   [&](const LayerKind& row) { return row.kind == kind; });
    if (!known) out.layers.composition.emplace_back().kind = kind;
  }
  for (LayerKind& kind : out.layers.composition) judge_kind(model, *plan, kind);
  EngineView view;
  view.device = plan->chip;
  view.basis = model.is_checkpoint() ? "the package that 'anemone convert' writes, with the network's default outputs"
                                     : "the program as it is";
  view.ops = static_cast<std::int64_t>(plan->ops.size());
  view.supported = static_cast<std::int64_t>(plan->supported);
  view.on_ane = static_cast<std::int64_t>(plan->on_ane);
  view.coverage_percent = plan->coverage_percent;
  view.partitions = plan->partitions;
  view.latency = plan->latency;
  out.engine = std::move(view);
  out.findings = std::move(plan->findings);
}

}  // namespace anemone::toolchain::analysis
