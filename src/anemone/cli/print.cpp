// The verb `print`: what is in a file.
#include "anemone/cli/model_options.h"
#include "anemone/cli/verbs.h"
#include "anemone/report/checkpoints.h"
#include "anemone/report/program.h"
#include "anemone/toolchain/checkpoints.h"
#include "anemone/toolchain/model.h"

namespace anemone::cli {
namespace {

int print_tensors(Call& call, const std::string& path, const std::string& part) {
  const auto listing = toolchain::list_checkpoint(path, part);
  if (!listing) return call.fail(listing.error());
  call.detail("read " + path + ": " + listing->container + " container, " + std::to_string(listing->tensors.size()) +
              " tensors in " + std::to_string(listing->storages) + " storages");
  for (const std::string& global : listing->globals) call.detail("global " + global, 2);
  call.print(call.json ? report::listing_json(*listing) : report::listing_text(*listing));
  return 0;
}

int run_print(Call& call) {
  std::string path, part;
  ModelFlags flags;
  toolchain::TextOptions options;
  call.options.argument("MODEL", path, "a checkpoint, package, compiled folder, model file or MIL text");
  call.options.argument("PART", part, "of a checkpoint: only the tensors that have this in their path", false);
  call.options.flag("--graph", options.graph,
                    "of a checkpoint or ONNX file: the program that is made of it, instead of what is in it");
  call.options.flag("--exact", options.exact, "every constant in full: the text parses back to an equal program");
  call.options.flag("--origins", options.origins, "say at each line where it comes from");
  flags.declare(call.options);
  if (const auto over = call.parse()) return *over;
  const auto format = toolchain::recognise(path);
  if (!format) return call.fail(format.error());
  if (*format == toolchain::ModelFormat::checkpoint && !options.graph) return print_tensors(call, path, part);
  if (!part.empty())
    return call.misused(bad_usage("'" + part + "' would be a part of a checkpoint, and a program is printed whole",
                                  "pipe it into 'grep', or ask 'anemone plan --where type=conv'"));
  toolchain::LoadOptions how = flags.load(call);
  how.program_needed = options.graph;
  const auto model = load(path, how);
  if (!model) return call.fail(model.error());
  for (const Diagnostic& warning : model->warnings) call.warn(warning);
  const auto print = [&call](std::string_view piece) { call.print(piece); };
  if (!call.json) {
    write_program(*model, options, print);
    return 0;
  }
  report::ProgramJson document(print);
  write_program(*model, options, [&document](std::string_view piece) { document.text(piece); });
  document.finish();
  return 0;
}

}  // namespace

const Verb kPrintVerb{.name = "print",
                      .arguments = "MODEL [PART]",
                      .summary = "a model as MIL text; a checkpoint as the list of its tensors",
                      .examples =
                          "anemone print star.mlpackage | head\n"
                          "anemone print Landmark_98.pkl --json\n"
                          "anemone print Landmark_98.pkl hgs.0.up1\n"
                          "anemone print Landmark_98.pkl --graph --origins",
                      .group = VerbGroup::look,
                      .run = run_print};

}  // namespace anemone::cli
