// The order in which a model is looked at.
#include "anemone/toolchain/analyze.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "anemone/ops/specialize.h"
#include "anemone/plan/ane/device.h"
#include "anemone/toolchain/analyze_parts.h"
#include "anemone/toolchain/onnx_model.h"
#include "anemone/toolchain/plan_model.h"

namespace anemone {
namespace {

bool is_fixed(const Function& function) {
  bool fixed = true;
  for (const auto& input : function.body.inputs) fixed = fixed && input->type.tensor_part().is_fixed();
  for_each_node(function.body, [&](const Node& node) {
    for (const auto& output : node.outputs) fixed = fixed && (!output->type.is_tensor() || output->type.is_fixed());
  });
  return fixed;
}

/// The program at its default size, or null where it is fixed already or has no default.
std::unique_ptr<Program> at_default_size(const Program& program, std::vector<std::string>& notes) {
  const Function& main = program.main();
  if (is_fixed(main)) return nullptr;
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
          fmt::format("'{}' has no default size: work and memory of unknown extents count as 0", input->name));
      return nullptr;
    }
    if (dims != input->type.dims) said += fmt::format("{}'{}' {}", said.empty() ? "" : ", ", input->name, brief(dims));
    shapes[input->name] = std::move(dims);
  }
  auto fixed = ops::specialize(program, main.name, shapes);
  if (!fixed) {
    notes.push_back("work and memory are of the program as declared; at its default size it fails: " +
                    fixed.error().front().message);
    return nullptr;
  }
  if (!said.empty())
    notes.push_back("the program takes several sizes; work and memory are those of its default, " + said);
  return *std::move(fixed);
}

/// MIL text has no interface: its features are the function's values.
std::vector<FeatureSummary> features(const std::vector<Feature>& declared, const std::vector<const Value*>& values) {
  if (!declared.empty() || values.empty()) return summarise(declared);
  std::vector<FeatureSummary> out;
  for (const Value* value : values) {
    const Type& type = value->type.tensor_part();
    FeatureSummary s;
    s.name = value->name;
    s.kind = type.is_tensor() ? "array" : "other";
    if (type.is_tensor()) s.dtype = name(type.dtype);
    s.shape = type.dims;
    out.push_back(std::move(s));
  }
  return out;
}

void introduce(const Model& model, Analysis& out) {
  const Function& main = model.program->main();
  out.has_program = true;
  out.network = "unknown";
  if (model.network) {
    const models::Network& network = *model.network;
    out.network = network.name;
    out.title = fmt::format(
        "{}{} at {}x{}", network.name,
        network.landmarks ? fmt::format(", {} points, {} edges", network.landmarks->points, network.landmarks->edges)
                          : "",
        network.height, network.width);
  } else {
    const auto& user = model.program->metadata.user;
    if (const auto found = user.find(std::string(kMetaNetwork)); found != user.end()) out.network = found->second;
    out.title = fmt::format("{}, specification {}, {}", out.network == "unknown" ? "a program" : out.network,
                            model.program->specification, name(main.opset));
  }
  std::vector<const Value*> inputs, outputs(main.body.outputs().begin(), main.body.outputs().end());
  for (const auto& input : main.body.inputs) inputs.push_back(input.get());
  out.inputs = features(main.interface.inputs, inputs);
  out.outputs = features(main.interface.outputs, outputs);
  out.ops = count_ops(main);
  for (const Diagnostic& warning : model.warnings) out.notes.push_back(warning.message);
  if (model.program->functions.size() > 1) {
    out.notes.push_back(fmt::format("the program has {} functions; this is '{}', its default",
                                    model.program->functions.size(), main.name));
  }
}

/// An unknown network, or tensors that do not fit a known one: the tensors can be described all the same.
bool is_about_the_network(const Diagnostics& errors) {
  return exit_code(errors) == exit_code(Blame::input) &&
         std::all_of(errors.begin(), errors.end(), [](const Diagnostic& d) { return d.code.starts_with("E06"); });
}

}  // namespace

Result<Analysis> analyze(const std::filesystem::path& path, const AnalyzeRequest& request) {
  const auto begun = std::chrono::steady_clock::now();
  if (!ane::find_device(request.device)) {
    const std::vector<std::string> devices = device_names();
    const std::vector<std::string_view> words(devices.begin(), devices.end());
    const std::string_view near = closest(request.device, words);
    return bad_usage(
        fmt::format("there is no device '{}'", request.device),
        near.empty() ? "'anemone plan MODEL --device all' lists them" : fmt::format("did you mean '{}'?", near));
  }
  const auto finish = [&](Analysis& out, ModelFormat format) {
    out.model = path.string();
    out.format = name(format);
    out.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  };
  TRY(const ModelFormat format, recognise(path));
  if (format == ModelFormat::onnx) {
    Diagnostics warnings;
    TRY(const onnx::Model model, load_onnx(path, warnings));
    Analysis out = describe_onnx(model, warnings);
    finish(out, format);
    return out;
  }
  LoadOptions load;
  load.network = request.network;
  auto loaded = load_model(path, load);
  if (!loaded) {
    if (request.network || !is_about_the_network(loaded.error())) return std::move(loaded).error();
    TRY(Analysis out, analysis::describe_state_dict(path, loaded.error()));
    finish(out, ModelFormat::checkpoint);
    return out;
  }
  const Model& model = *loaded;
  const Function& declared = model.program->main();
  Analysis out;
  introduce(model, out);
  analysis::find_dynamic(declared, out);
  const std::unique_ptr<Program> fixed = at_default_size(*model.program, out.notes);
  const Function& function = fixed ? fixed->main() : declared;
  if (model.network) {
    analysis::describe_modules(model, out);
  } else {
    analysis::describe_constants(declared, out);
    analysis::compose(out.ops, out);
  }
  analysis::describe_work(model, function, out);
  analysis::describe_patterns(function, out);
  analysis::scan_weights(model, declared, request, out);
  analysis::ask_engine(model, function, declared.interface, request, out);
  analysis::conclude(model, out);
  finish(out, model.format);
  return out;
}

}  // namespace anemone
