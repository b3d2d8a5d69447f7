// From a file to what the provider takes of it. An ONNX file is read anew, and not by load(): that infers more than ONNX
// Runtime does.
#include "anemone/toolchain/plan_ort.h"

#include <fmt/format.h>

#include "anemone/support/file.h"
#include "anemone/toolchain/export.h"

namespace anemone::toolchain {
namespace {

namespace onnxspec = formats::onnxspec;
using OrtTarget = plan::ort::Target;  // Target is a deployment target
using plan::ort::ProviderPlan;

Result<std::vector<OrtTarget>> find_targets(const std::string& wanted) {
  const auto all = plan::ort::targets();
  if (wanted == "all") return std::vector<OrtTarget>(all.begin(), all.end());
  if (const auto target = plan::ort::parse_target(wanted)) return std::vector<OrtTarget>{*target};
  std::vector<std::string> texts{"all"};
  for (const OrtTarget target : all) texts.push_back(to_text(target));
  const std::vector<std::string_view> names(texts.begin(), texts.end());
  return bad_usage(fmt::format("there are no rules for ONNX Runtime '{}'", wanted),
                   did_you_mean(wanted, names, "1.19 to 1.24, each /neuralnetwork or /mlprogram; or all"));
}

/// What is planned, and with it what `export --for ort-coreml` makes of the same model, where the file is none already.
struct Sources {
  onnxspec::Model plain;
  std::optional<onnxspec::Model> rewritten;
};

Result<onnxspec::Model> exported(const Model& model, const OrtRequest& request, bool for_provider) {
  ConvertOptions options;
  options.precision = request.precision.value_or(PackagePrecision::fp32);
  options.outputs = request.outputs;
  TRY(Exported made, export_model(model, options, {.for_ort_coreml = for_provider}));
  return onnx::to_spec(made.model);
}

Result<Sources> sources_of(const std::filesystem::path& path, const OrtRequest& request,
                           std::vector<std::string>& notes) {
  TRY(const ModelFormat format, recognise(path));
  if (format == ModelFormat::onnx) {
    if (!request.outputs.empty() || request.precision)
      return bad_usage("an ONNX file has the outputs and the precision that it has",
                       "--outputs and --precision are for models that are exported first");
    TRY(const Bytes file, map_file(path));
    TRY(onnxspec::Model spec, onnxspec::read_model(file, path.string()));
    return Sources{std::move(spec), {}};
  }
  TRY(const Model model, load(path, request.load));
  for (const Diagnostic& warning : model.warnings) notes.push_back(warning.message);
  notes.push_back("planned as the file that 'anemone export' writes");
  TRY(onnxspec::Model plain, exported(model, request, false));
  Sources sources{std::move(plain), {}};
  if (request.target != "all" && request.precision != PackagePrecision::fp16) {
    TRY(sources.rewritten, exported(model, request, true));
  }
  return sources;
}

Result<onnx::Model> build(const onnxspec::Model& spec, const std::string& file) {
  return onnx::build_model(onnxspec::Model(spec), file);  // the weights are shared
}

}  // namespace

Result<OrtPlans> plan_for_ort(const std::filesystem::path& path, const OrtRequest& request) {
  const Stopwatch watch;
  const Talk& talk = request.load.talk;
  TRY(const std::vector<OrtTarget> targets, find_targets(request.target));
  OrtPlans result;
  result.model = path.string();
  TRY(const Sources sources, sources_of(path, request, result.notes));
  const plan::ort::PlanOptions options{.details = targets.size() == 1};
  for (const OrtTarget each : targets) {
    TRY(onnx::Model model, build(sources.plain, path.string()));
    const Stopwatch planning;
    ProviderPlan& plan = result.plans.emplace_back(plan_for_provider(std::move(model), each, options));
    talk.detail(fmt::format("planned for {}: {} nodes, {} supported, {} partitions, {:.1f} ms", to_text(each),
                            plan.nodes, plan.supported, plan.partitions.size(), planning.ms()));
    for (const plan::ort::PassCount& pass : plan.level1) {
      if (pass.removed != 0) talk.detail(fmt::format("  {} takes {} nodes", pass.name, pass.removed));
    }
    if (!options.details || plan.static_input_shapes) continue;
    TRY(onnx::Model free, build(sources.plain, path.string()));
    const std::vector<std::string> fixed = plan::ort::fix_extents(free);
    if (fixed.empty()) continue;
    const ProviderPlan other = plan_for_provider(std::move(free), each, {.details = false});
    plan.fixed = plan::ort::FixedShapes{fixed, other.nodes, other.supported, other.partitions.size()};
  }
  if (sources.rewritten) {
    TRY(onnx::Model model, build(*sources.rewritten, path.string()));
    const ProviderPlan other = plan_for_provider(std::move(model), targets.front(), {.details = false});
    result.rewritten = OrtCounts{other.nodes, other.supported, other.partitions.size()};
  }
  result.seconds = watch.seconds();
  return result;
}

}  // namespace anemone::toolchain
