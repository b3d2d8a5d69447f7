// From a model to plans.
#include "anemone/toolchain/plan_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "anemone/ops/ops.h"
#include "anemone/ops/specialize.h"
#include "anemone/plan/ane/costs.h"
#include "anemone/plan/ane/support_table.h"
#include "anemone/plan/ane/verdict.h"
#include "anemone/support/text.h"
#include "anemone/toolchain/plan_edits.h"
#include "anemone/toolchain/summary.h"

namespace anemone::toolchain {
namespace {

namespace ane = plan::ane;

Result<std::vector<const ane::Device*>> find_devices(const std::string& wanted) {
  std::vector<const ane::Device*> found;
  if (wanted == "all") {
    for (const ane::Device& device : ane::devices()) found.push_back(&device);
    return found;
  }
  TRY(found.emplace_back(), find_device(wanted));
  return found;
}

Result<void> check_types(const std::vector<std::string>& types) {
  std::vector<std::string_view> names;
  for (const ane::SupportRow& row : ane::support_rows()) names.push_back(row.type);
  for (const std::string& type : types) {
    if (ane::find_support(type) || ops::table().find(type)) continue;
    return bad_usage(fmt::format("there is no operation type '{}'", type),
                     did_you_mean(type, names, "'anemone ops' lists them"));
  }
  return {};
}

// Where some extent has no default, the program stays as it is: its operations get their verdicts for that.
// So does one that cannot be computed at that size: a plan needs no values.
void fix_default_shapes(Planned& planned) {
  auto sized = ops::at_default_size(*planned.program);
  if (!sized) {
    planned.notes.push_back("planned as declared; at its default size it fails: " + sized.error().front().message);
    return;
  }
  if (!sized->without_default.empty()) {
    planned.notes.push_back(fmt::format("'{}' has no default size, so the program is planned with unknown extents",
                                        sized->without_default));
  }
  if (!sized->program) return;
  planned.own = std::move(sized->program);
  planned.program = planned.own.get();
  if (!sized->defaults.empty()) {
    planned.notes.push_back("the program takes several sizes and is planned at its default: " + words(sized->defaults) +
                            "; '--what-if shapes=HxW' plans another");
  }
}

// The package that convert would make of the model; null: it is one, and is planned as it is.
Result<std::unique_ptr<Program>> converted_program(const Model& model, const PlanRequest& request,
                                                   std::vector<std::string>& notes) {
  if (!model.is_checkpoint() && !request.outputs.empty())
    return bad_usage("--outputs is for checkpoints", "the outputs of a package are fixed");
  for (const Diagnostic& warning : model.warnings) notes.push_back(warning.message);
  if (!model.is_checkpoint() && !request.precision && !request.target) return nullptr;
  ConvertOptions options;
  options.precision = request.precision.value_or(PackagePrecision::fp16);
  options.target = request.target;
  options.outputs = request.outputs;
  if (!model.is_checkpoint() && !request.precision) options.passes = {"none"};
  TRY(Converted converted, convert(model, options));
  // Conversion narrows and never widens.
  if (request.precision == PackagePrecision::fp32 && computes_in_half(converted.program->main()))
    return bad_usage("a package in fp16 stays in fp16",
                     "plan its checkpoint with --precision fp32, or the fp32 package");
  if (model.is_checkpoint()) {
    notes.push_back("a checkpoint is planned as the package that 'anemone convert' writes");
  } else {
    if (request.precision)
      notes.push_back(fmt::format("hypothesis: the package is converted to {}", name(*request.precision)));
    if (request.target) notes.push_back(fmt::format("hypothesis: the target is {}", name(*request.target)));
  }
  return std::move(converted.program);
}

}  // namespace

Result<const ane::Device*> find_device(const std::string& name) {
  if (const ane::Device* device = ane::find_device(name)) return device;
  const std::string word = bare_word(name);
  if (word == "all") return bad_usage("only 'plan' makes a table of all devices", "name one device, as m1 or a17pro");
  std::vector<std::string_view> names;
  std::string family;
  for (const ane::Device& device : ane::devices()) {
    names.push_back(device.name);
    if (word.size() >= 2 && device.name.starts_with(word.substr(0, 2)))
      family += fmt::format("{}{}", family.empty() ? "" : ", ", device.name);
  }
  if (!family.empty() && closest(word, names).empty())
    return bad_usage(fmt::format("there is no device '{}'", name), "of that family: " + family);
  return bad_usage(fmt::format("there is no device '{}'", name),
                   did_you_mean(name, names, "'anemone plan MODEL --device all' lists them"));
}

plan::ane::PlanOptions plan_options(const PlanRequest& request) {
  plan::ane::PlanOptions options;
  options.units = request.units;
  options.off = request.off;
  return options;
}

passes::PassSettings engine_settings(const plan::ane::Device& device) {
  passes::PassSettings settings;
  settings.cost = [&device](const Node& node) { return ane::planner_cost(node, device).ane_ms; };
  settings.taken = [&device](const Node& node) {
    return ane::judge(node, device, {}).verdict.support == plan::Support::yes;
  };
  return settings;
}

Result<Planned> planned_program(const Model& model, const PlanRequest& request) {
  Planned planned;
  TRY(planned.own, converted_program(model, request, planned.notes));
  planned.program = planned.own ? planned.own.get() : model.program.get();
  planned.declared = planned.program->main().interface;
  if (planned.program->functions.size() > 1) {
    planned.notes.push_back(fmt::format("the package has {} functions; this is the plan of '{}'",
                                        planned.program->functions.size(), planned.program->main().name));
  }
  fix_default_shapes(planned);
  return planned;
}

Result<PlanResult> plan_model(const Model& model, const PlanRequest& request) {
  const Stopwatch watch;
  TRY(const std::vector<const ane::Device*> devices, find_devices(request.device));
  TRY_VOID(check_types(request.off));
  PlanResult result;
  result.model = model.path.string();
  TRY(Planned planned, planned_program(model, request));
  result.notes = std::move(planned.notes);
  ane::PlanOptions options = plan_options(request);
  options.interface = &planned.declared;
  options.lint_weights = devices.size() == 1;  // a table of all chips shows no findings
  for (const ane::Device* device : devices) {
    const Stopwatch planning;
    plan::Plan& plan = result.plans.emplace_back(ane::make_plan(planned.program->main(), *device, options));
    if (devices.size() == 1) try_edits(plan, *planned.program, model, *device, request);
    model.talk.detail(fmt::format("planned for {}: {} operations, {} on the engine, {} findings, {:.1f} ms", plan.chip,
                                  plan.ops.size(), plan.on_ane, plan.findings.size(), planning.ms()));
  }
  result.seconds = model.seconds + watch.seconds();
  return result;
}

}  // namespace anemone::toolchain
