// The verb `analyze`: what a network is.
#include "anemone/toolchain/analyze.h"

#include <fmt/format.h>

#include "anemone/cli/convert_options.h"
#include "anemone/cli/model_options.h"
#include "anemone/cli/verbs.h"
#include "anemone/report/analysis_comparison.h"
#include "anemone/report/analysis_json.h"
#include "anemone/report/analysis_markdown.h"
#include "anemone/report/analysis_text.h"
#include "anemone/support/file.h"

namespace anemone::cli {
namespace {

/// One after the other. A model that cannot be analysed is told and does not stop the others.
int analyze_several(Call& call, const std::vector<std::string>& paths, const toolchain::LoadOptions& options,
                    const toolchain::AnalyzeRequest& request, const report::AnalysisText& how) {
  std::vector<toolchain::Analysis> all;
  int code = 0;
  for (const std::string& path : paths) {
    auto result = [&]() -> Result<toolchain::Analysis> {
      TRY(const toolchain::Model model, load(path, options));
      return analyze(model, request);
    }();
    if (!result) {
      const int failed = call.told(result.error());
      if (code == 0) code = failed;
      continue;
    }
    if (!call.json) call.page((all.empty() ? "" : "\n") + report::analysis_text(*result, how));
    all.push_back(*std::move(result));
  }
  if (call.json) call.print(report::analyses_json(all, how.tree));
  return code;
}

int run_analyze(Call& call) {
  std::vector<std::string> paths;
  std::string markdown;
  ModelFlags flags;
  std::optional<std::string> other;
  std::optional<std::int64_t> depth;
  toolchain::AnalyzeRequest request;
  report::AnalysisText how;
  call.options.arguments(
      "MODEL…", paths,
      "a checkpoint, package, compiled folder, model file, ONNX file or MIL text; several: one after "
      "the other");
  flags.declare(call.options);
  call.options.value("--device", "CHIP", request.device, "whose Neural Engine is asked: a14, m1, m1pro, m4 …");
  call.options.choice("--precision", request.precision, kPlannedPrecisions,
                      "of the package that the engine is asked about; fp16, fp32: what 'convert' would write");
  call.options.flag("--scan-weights", request.weights,
                    "read the weights for hazards also when there are more than 256 MB");
  call.options.group("output");
  call.options.flag("--full", how.full, "all tables and findings, not what decides alone");
  call.options.flag("--tree", how.tree, "the module tree with shapes, parameters and MACs");
  call.options.value("--depth", "N", depth, "of the tree: levels below the network", {.at_least = 0, .at_most = 1000});
  call.options.value("--compare", "OTHER", other, "a second model beside it");
  call.options.value("--markdown", "FILE", markdown,
                     "also write the findings as a page; - writes it to stdout instead of this");
  if (const auto over = call.parse()) return *over;
  if (depth && !how.tree) return call.misused(bad_usage("--depth is of --tree", "add --tree"));
  if (other && how.tree) return call.misused(bad_usage("--compare and --tree do not go together", "leave one out"));
  if (depth) how.depth = static_cast<std::size_t>(*depth);
  toolchain::LoadOptions options = flags.load(call, other.has_value());
  options.program_needed = false;
  if (paths.size() > 1) {
    if (other || !markdown.empty())
      return call.misused(
          bad_usage(fmt::format("'{}' is a second model: --compare and --markdown are about one", paths[1]),
                    "leave them out, or name one model"));
    options.one_of_several = true;
    return analyze_several(call, paths, options, request, how);
  }
  const auto model = load(paths.front(), options);
  if (!model) return call.fail(model.error());
  const auto result = analyze(*model, request);
  if (!result) return call.fail(result.error());
  if (!markdown.empty()) {
    if (markdown == "-") {
      call.print(report::analysis_markdown(*result));
      return 0;
    }
    if (Result<void> written = write_file(markdown, report::analysis_markdown(*result)); !written)
      return call.fail(written.error());
    call.say("wrote " + markdown);
  }
  if (!other) {
    call.page(call.json ? report::analysis_json(*result, how.tree) : report::analysis_text(*result, how));
    return 0;
  }
  const auto other_model = load(*other, options);
  if (!other_model) return call.fail(other_model.error());
  const auto second = analyze(*other_model, request);
  if (!second) return call.fail(second.error());
  call.page(call.json ? report::analysis_comparison_json(*result, *second)
                      : report::analysis_comparison_text(*result, *second));
  return 0;
}

}  // namespace

const Verb kAnalyzeVerb{
    .name = "analyze",
    .arguments = "MODEL…",
    .summary = "what a network is: layers, weights, work, memory, and what the Neural Engine makes of it",
    .details =
        "Of a checkpoint, layers are the modules of its network; MACs are those of trained weights. "
        "Of a program, which has\n"
        "no modules, layers are operations. What is said about the Neural Engine is what 'plan' "
        "says: a prediction. Weights\n"
        "are read in blocks; above 256 MB only with --scan-weights.",
    .examples =
        "anemone analyze Landmark_98.pkl\n"
        "anemone analyze star.mlpackage --full\n"
        "anemone analyze before.mlpackage after.mlpackage --json\n"
        "anemone analyze star.mlpackage --json\n"
        "anemone analyze Landmark_98.pkl --tree --depth 2\n"
        "anemone analyze before.mlpackage --compare after.mlpackage\n"
        "anemone analyze star.mlpackage --markdown FINDINGS.md",
    .group = VerbGroup::main,
    .run = run_analyze};

}  // namespace anemone::cli
