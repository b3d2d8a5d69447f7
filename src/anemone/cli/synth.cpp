// The verb `synth`: a checkpoint to try things on, where the trained one is not to be had.
#include "anemone/cli/verbs.h"
#include "anemone/report/checkpoints.h"
#include "anemone/toolchain/checkpoints.h"

namespace anemone::cli {
namespace {

constexpr Choice<bool> kWeights[] = {{"hash", false}, {"random", true}};

int run_synth(Call& call) {
  std::string network, output;
  toolchain::SynthRequest request;
  std::optional<std::string> heads;
  call.options.argument("NETWORK", network, "star");
  call.options.value("-o,--output", "OUT.pkl", output, "the checkpoint to write", {.required = true});
  call.options.value("--points", "N", request.points, "98, 68 or 29");
  call.options.choice("--weights", request.random, kWeights,
                      "hash: every number from the name of its tensor; random: from --seed");
  call.options.value("--seed", "N", request.seed, "of random weights");
  call.options.value("--heads", "DIR", heads, "replace tensors by the KEY.npy files of a folder");
  if (const auto over = call.parse()) return *over;
  if (network != "star") return call.misused(bad_usage("'" + network + "' cannot be made; 'star' can"));
  if (heads) request.heads = *heads;
  const auto result = synth_star_checkpoint(output, request);
  if (!result) return call.fail(result.error());
  call.detail("wrote " + result->output + ": " + std::to_string(result->tensors) + " tensors, " +
              std::to_string(result->bytes) + " bytes");
  for (const std::string& key : result->replaced) call.detail("replaced " + key, 2);
  call.page(call.json ? report::synth_json(*result) : report::synth_text(*result));
  return 0;
}

}  // namespace

const Verb kSynthVerb{.name = "synth",
                      .arguments = "star -o OUT.pkl",
                      .summary = "a synthetic checkpoint with the exact keys, shapes and container of the real one",
                      .examples =
                          "anemone synth star -o star.pkl\n"
                          "anemone synth star -o star.pkl --heads examples/probe_pd_heads\n"
                          "anemone synth star -o star68.pkl --points 68 --weights random --seed 7",
                      .group = VerbGroup::look,
                      .run = run_synth};

}  // namespace anemone::cli
