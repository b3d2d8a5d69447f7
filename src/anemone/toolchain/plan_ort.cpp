// From a file to what the provider takes of it. The file is read anew, and not by load(): that infers more than ONNX Runtime.
#include "anemone/toolchain/plan_ort.h"

#include <fmt/format.h>

#include "anemone/support/file.h"

namespace anemone::toolchain {
namespace {

namespace onnxspec = formats::onnxspec;

using plan::ort::ProviderPlan;
using OrtTarget = plan::ort::Target;  // Target is a deployment target

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

Result<onnx::Model> build(const onnxspec::Model& spec, const std::string& file) {
  return onnx::build_model(onnxspec::Model(spec), file);  // the weights are shared
}

}  // namespace

Result<OrtPlans> plan_for_ort(const std::filesystem::path& path, const std::string& target, const Talk& talk) {
  const Stopwatch watch;
  TRY(const std::vector<OrtTarget> targets, find_targets(target));
  TRY(const ModelFormat format, recognise(path));
  if (format != ModelFormat::onnx)
    return bad_usage(fmt::format("'{}' is a {}, and --ort plans ONNX files", path.string(), name(format)),
                     "export it to ONNX first, with the framework that made it");
  OrtPlans result;
  result.model = path.string();
  TRY(const Bytes file, map_file(path));
  TRY(const onnxspec::Model spec, onnxspec::read_model(file, path.string()));
  const plan::ort::PlanOptions options{.details = targets.size() == 1};
  for (const OrtTarget each : targets) {
    TRY(onnx::Model model, build(spec, path.string()));
    const Stopwatch planning;
    ProviderPlan& plan = result.plans.emplace_back(plan_for_provider(std::move(model), each, options));
    talk.detail(fmt::format("planned for {}: {} nodes, {} supported, {} partitions, {:.1f} ms", to_text(each),
                            plan.nodes, plan.supported, plan.partitions.size(), planning.ms()));
    for (const plan::ort::PassCount& pass : plan.level1) {
      if (pass.removed != 0) talk.detail(fmt::format("  {} takes {} nodes", pass.name, pass.removed));
    }
    if (!options.details || plan.static_input_shapes) continue;
    TRY(onnx::Model free, build(spec, path.string()));
    const std::vector<std::string> fixed = plan::ort::fix_extents(free);
    if (fixed.empty()) continue;
    const ProviderPlan other = plan_for_provider(std::move(free), each, {.details = false});
    plan.fixed = plan::ort::FixedShapes{fixed, other.nodes, other.supported, other.partitions.size()};
  }
  result.seconds = watch.seconds();
  return result;
}

}  // namespace anemone::toolchain
