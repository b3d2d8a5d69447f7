// From a file to plans.
#include "anemone/toolchain/plan_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>

#include "anemone/ops/ops.h"
#include "anemone/ops/specialize.h"
#include "anemone/plan/ane/planner.h"
#include "anemone/plan/ane/support_table.h"
#include "anemone/toolchain/convert.h"

namespace anemone {
namespace {

Result<std::vector<const ane::Device*>> find_devices(const std::string& wanted) {
  std::vector<const ane::Device*> found;
  std::vector<std::string_view> names{"all"};
  for (const ane::Device& device : ane::devices()) {
    if (wanted == "all" || wanted == device.name) found.push_back(&device);
    names.push_back(device.name);
  }
  if (!found.empty()) return found;
  const std::string_view near = closest(wanted, names);
  return bad_usage(
      fmt::format("there is no device '{}'", wanted),
      fmt::format("{}'--device all' lists them", near.empty() ? "" : fmt::format("did you mean '{}'? ", near)));
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

bool is_fixed(const Function& function) {
  bool fixed = true;
  for (const auto& input : function.body.inputs) fixed = fixed && input->type.tensor_part().is_fixed();
  for_each_node(function.body, [&](const Node& node) {
    for (const auto& output : node.outputs) fixed = fixed && (!output->type.is_tensor() || output->type.is_fixed());
  });
  return fixed;
}

// Where some extent has no default, the program stays as it is: its operations get their verdicts for that.
Result<void> fix_default_shapes(std::unique_ptr<Program>& program, std::vector<std::string>& notes) {
  const Function& main = program->main();
  if (is_fixed(main)) return {};
  std::map<std::string, Dims> shapes;
  std::string said;
  for (const auto& input : main.body.inputs) {
    if (!input->type.is_tensor()) continue;
    const Feature* feature = main.interface.input(input->name);
    Dims dims = input->type.dims;
    if (feature && feature->kind == Feature::Kind::image && dims.size() == 4) {
      dims[2] = feature->height;
      dims[3] = feature->width;
    } else if (feature && feature->shape.size() == dims.size()) {
      dims = feature->shape;
    }
    if (std::any_of(dims.begin(), dims.end(), [](auto d) { return d < 0; })) {
      notes.push_back(
          fmt::format("'{}' has no default size, so the program is planned with unknown extents", input->name));
      return {};
    }
    if (dims != input->type.dims) said += fmt::format("{}'{}' {}", said.empty() ? "" : ", ", input->name, brief(dims));
    shapes[input->name] = std::move(dims);
  }
  TRY(program, ops::specialize(*program, main.name, shapes));
  if (!said.empty()) notes.push_back("the program takes several sizes and is planned at its default: " + said);
  return {};
}

Result<std::unique_ptr<Program>> program_of(const std::filesystem::path& path, const PlanRequest& request,
                                            std::vector<std::string>& notes) {
  LoadOptions load;
  load.network = request.network;
  load.target = request.target;
  TRY(Model model, load_model(path, load));
  if (model.is_checkpoint()) {
    ConvertOptions options;
    options.half = request.half.value_or(true);
    options.target = request.target;
    options.network = request.network;
    options.outputs = request.outputs;
    TRY(Converted converted, convert(path, options));
    notes.push_back("a checkpoint is planned as the package that 'anemone convert' writes");
    return std::move(converted.program);
  }
  if (!request.outputs.empty()) return bad_usage("--outputs is for checkpoints", "the outputs of a package are fixed");
  for (const Diagnostic& warning : model.warnings) notes.push_back(warning.message);
  std::unique_ptr<Program> program = std::move(model.program);
  if (request.half) {
    for (const auto& function : program->functions)
      ane::retype(*function, *request.half ? DType::fp32 : DType::fp16, *request.half ? DType::fp16 : DType::fp32);
    notes.push_back(fmt::format("hypothesis: the program computes in {}", *request.half ? "fp16" : "fp32"));
  }
  if (request.target) {
    program->main().opset = *request.target;
    notes.push_back(fmt::format("hypothesis: the target is {}", name(*request.target)));
  }
  return program;
}

}  // namespace

Result<PlanResult> plan_model(const std::filesystem::path& path, const PlanRequest& request) {
  const auto begun = std::chrono::steady_clock::now();
  TRY(const std::vector<const ane::Device*> devices, find_devices(request.device));
  TRY_VOID(check_types(request.off));
  PlanResult result;
  result.model = path.string();
  TRY(std::unique_ptr<Program> program, program_of(path, request, result.notes));
  const Interface declared = program->main().interface;
  if (program->functions.size() > 1) {
    result.notes.push_back(fmt::format("the package has {} functions; this is the plan of '{}'",
                                       program->functions.size(), program->main().name));
  }
  TRY_VOID(fix_default_shapes(program, result.notes));
  ane::PlanOptions options;
  options.units = request.units;
  options.off = request.off;
  options.interface = &declared;
  options.lint_weights = devices.size() == 1;  // a table of all chips shows no findings
  for (const ane::Device* device : devices) result.plans.push_back(ane::make_plan(program->main(), *device, options));
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  return result;
}

std::vector<std::string> device_names() {
  std::vector<std::string> names;
  for (const ane::Device& device : ane::devices()) names.emplace_back(device.name);
  return names;
}

}  // namespace anemone
