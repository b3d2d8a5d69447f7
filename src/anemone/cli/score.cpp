// The verb `score`: landmarks against ground truth.
#include "anemone/report/score.h"

#include <filesystem>

#include "anemone/cli/verbs.h"
#include "anemone/support/file.h"

namespace anemone::cli {
namespace {

int run_score(Call& call) {
  std::string predictions, truth;
  std::optional<std::string> curve;
  toolchain::ScoreRequest request;
  call.options.argument("PREDICTIONS", predictions, "faces.jsonl of 'detect', an array [N,P,2] (.npy), .pts, .tsv");
  call.options.value("--truth", "FILE", truth,
                     "the ground truth: a list of WFLW, .pts of 300W (a file or folder), a "
                     "table of STAR (.tsv: also COFW), or .npy",
                     {.required = true});
  call.options.value("--scheme", "NAME", request.scheme, "WFLW, 300W or COFW; else by the number of points");
  call.options.list("--threshold", "T,…", request.thresholds,
                    "faces with a larger error have failed; 0.05 for 300W, else 0.1",
                    {.at_least = 0.0002, .at_most = 1});
  call.options.value("--curve", "FILE.svg", curve, "the cumulative error as a picture");
  if (const auto over = call.parse()) return *over;
  if (curve) {
    const std::string ending = std::filesystem::path(*curve).extension().string();
    if (!ending.empty() && !same_word(ending, ".svg"))
      return call.misused(bad_usage("--curve draws SVG, and '" + *curve + "' is a name of something else",
                                    "give a name that ends in .svg"));
  }
  request.predictions = predictions;
  request.truth = truth;
  const auto result = toolchain::score(request);
  if (!result) return call.fail(result.error());
  call.detail(std::to_string(result->faces - result->missed) + " predicted faces compared");
  if (curve) {
    if (const auto written = write_file(*curve, report::score_svg(*result)); !written)
      return call.fail(written.error());
  }
  call.page(call.json ? report::score_json(*result) : report::score_text(*result));
  return 0;
}

}  // namespace

const Verb kScoreVerb{.name = "score",
                      .arguments = "PREDICTIONS --truth FILE",
                      .summary = "error of landmarks against ground truth: NME, failure rate, AUC",
                      .details = "The arithmetic is that of STAR's evaluation, to the digits that it prints.",
                      .examples =
                          "anemone score predicted.npy --truth truth.npy\n"
                          "anemone score predicted.npy --truth truth.npy --threshold 0.08,0.1 --curve ced.svg",
                      .group = VerbGroup::faces,
                      .run = run_score};

}  // namespace anemone::cli
