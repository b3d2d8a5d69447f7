// One row an edit: the rule whose finding it removes, what to call it, and how it is made.
#include "anemone/toolchain/plan_edits.h"

#include <algorithm>
#include <array>

#include "anemone/ops/interface_edits.h"
#include "anemone/passes/pass.h"

namespace anemone::toolchain {
namespace {

struct Subject {
  Program& program;
  const Model& model;
  const plan::ane::Device& device;

  Result<void> run(std::vector<std::string_view> passes) {
    passes.push_back("dead_code_elimination");
    passes::PipelineOptions options;
    options.passes = std::move(passes);
    options.settings = engine_settings(device);
    TRY_VOID(passes::run_passes(program, options));
    return {};
  }
};

// A plan needs no weights: where their number would have to be rounded one by one, their types are enough.
void forget_weights(Program& program) {
  constexpr std::int64_t kLarge = 1024;
  for (const auto& value : program.main().body.constants) {
    if (!value->type.is_tensor() || value->type.dtype != DType::fp32 || value->constant->count() < kLarge) continue;
    value->constant = hypothetical(value->type);
  }
}

Result<void> to_half(Subject s) {
  forget_weights(s.program);
  return s.run({"add_fp16_cast"});
}

Result<void> merge_convolutions(Subject s) { return s.run({"merge_summed_convs"}); }

Result<void> to_newer_target(Subject s) {
  TRY_VOID(ops::set_target(s.program, Target::ios17));
  return to_half(s);
}

Result<void> keep_final_output(Subject s) {
  auto landmarks = landmark_info(s.model);
  if (!landmarks) landmarks = landmark_output_by_shape(s.model);
  if (!landmarks) return {};
  const std::string wanted[] = {landmarks->output};
  TRY_VOID(ops::select_outputs(s.program.main(), wanted));
  return s.run({});
}

struct Edit {
  std::string_view code, how;
  Result<void> (*make)(Subject);
};
constexpr std::array kEdits{
    Edit{"ANE001", "with --precision fp16", to_half},       Edit{"ANE012", "with the scale in fp16", to_half},
    Edit{"ANE019", "merged", merge_convolutions},           Edit{"ANE026", "with --outputs final", keep_final_output},
    Edit{"ANE030", "with --target ios17", to_newer_target},
};

}  // namespace

ConstantPtr hypothetical(Type type) {
  auto constant = std::make_shared<Constant>();
  constant->type = std::move(type);
  constant->missing = "a hypothesis";
  return constant;
}

void try_edits(plan::Plan& plan, const Program& program, const Model& model, const plan::ane::Device& device,
               const PlanRequest& request) {
  plan::ane::PlanOptions options = plan_options(request);
  options.find = false;
  for (plan::Finding& finding : plan.findings) {
    const auto edit = std::find_if(kEdits.begin(), kEdits.end(), [&](const Edit& e) { return e.code == finding.code; });
    if (edit == kEdits.end()) continue;
    const std::unique_ptr<Program> changed = clone(program);
    if (!edit->make({*changed, model, device})) continue;
    const plan::Plan after = plan::ane::make_plan(changed->main(), device, options);
    if (after.ops.size() == plan.ops.size() && after.planner_ms == plan.planner_ms) continue;
    finding.without = {std::string(edit->how), after.ops.size(), after.on_ane, after.planner_ms};
  }
}

}  // namespace anemone::toolchain
