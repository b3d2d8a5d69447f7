// The verb `print`: what is in a file.
#include "anemone/cli/verbs.h"
#include "anemone/report/checkpoints.h"
#include "anemone/report/program.h"
#include "anemone/toolchain/checkpoints.h"
#include "anemone/toolchain/show.h"

namespace anemone::cli {
namespace {

int print_tensors(Call& call, const std::string& model) {
  const auto listing = list_checkpoint(model);
  if (!listing) return call.fail(listing.error());
  call.print(call.json ? report::listing_json(*listing) : report::listing_text(*listing));
  return 0;
}

int run_print(Call& call) {
  std::string model;
  ShowOptions options;
  bool graph = false;
  call.options.argument("MODEL", model, "a checkpoint, package, compiled folder, model file or MIL text");
  call.options.flag("--graph", graph, "of a checkpoint: the network that is built from it, instead of its tensors");
  call.options.flag("--exact", options.exact, "every constant in full: the text parses back to an equal program");
  call.options.flag("--origins", options.origins, "say at each line where it comes from");
  call.options.value("--network", "NAME", options.network, "the checkpoint's network, when it is not recognised");
  if (const auto over = call.parse()) return *over;
  const auto checkpoint = is_checkpoint(model);
  if (!checkpoint) return call.fail(checkpoint.error());
  if (*checkpoint && !graph) return print_tensors(call, model);
  Diagnostics warnings;
  const auto text = show_program(model, options, warnings);
  if (!text) return call.fail(text.error());
  for (const Diagnostic& warning : warnings) call.warn(warning);
  call.print(call.json ? report::program_json(*text) : *text);
  return 0;
}

}  // namespace

const Verb kPrintVerb{.name = "print",
                      .arguments = "MODEL",
                      .summary = "a model as MIL text; a checkpoint as the list of its tensors",
                      .examples =
                          "anemone print star.mlpackage | head\n"
                          "anemone print Landmark_98.pkl --json\n"
                          "anemone print Landmark_98.pkl --graph --origins",
                      .run = run_print};

}  // namespace anemone::cli
