// The verbs `convert` and `optimize`: a model becomes an optimised package.
#include "anemone/report/convert.h"
#include "anemone/cli/convert_options.h"
#include "anemone/cli/verbs.h"
#include "anemone/toolchain/deliver.h"

namespace anemone::cli {
namespace {

int run(Call& call, std::string_view output_help, std::string_view next) {
  std::string path, output;
  ConvertFlags flags;
  call.options.argument("MODEL", path,
                        "a PyTorch checkpoint, a .mlpackage or .mlmodelc folder, a model.mlmodel file or MIL text");
  call.options.value("-o,--output", "OUT", output, output_help, {.required = true});
  flags.declare(call);
  if (const auto over = call.parse()) return *over;
  const auto options = flags.read(call);
  if (!options) return call.fail(options.error());
  if (const Result<void> ending = toolchain::check_ending(output); !ending) return call.fail(ending.error());
  const auto model = load(path, flags.load(call, *options));
  if (!model) return call.fail(model.error());
  const auto delivered = deliver(*model, output, *options);
  if (!delivered) return call.fail(delivered.error());
  for (const Diagnostic& warning : model->warnings) call.warn(warning);
  for (const Diagnostic& warning : delivered->warnings) call.warn(warning);
  call.print(call.json ? report::convert_json(delivered->result)
                       : report::convert_text(delivered->result, flags.stats()));
  if (output.ends_with(".mlpackage"))
    call.say("next: anemone " + std::string(next) + " " + output + " --against " + path);
  return 0;
}

int run_convert(Call& call) { return run(call, "the package to write (.mlpackage)", "verify"); }
int run_optimize(Call& call) { return run(call, "what to write: .mlpackage or .mil", "verify"); }

}  // namespace

const Verb kConvertVerb{
    .name = "convert",
    .arguments = "MODEL -o OUT.mlpackage",
    .summary = "a checkpoint or package becomes an optimised Core ML package",
    .details =
        "--color bgr, rgb or gray is the order of the image's channels (default: as the network was trained, STAR "
        "bgr);\n"
        "auto, always and never are about colours in the output.\n"
        "The network is recognised from the names and shapes of its tensors; nothing in a checkpoint is executed.\n"
        "An interrupted run leaves the old package or none. The same input gives the same bytes.",
    .examples =
        "anemone convert Landmark_98.pkl -o star.mlpackage\n"
        "anemone convert Landmark_98.pkl -o star.mlpackage --outputs all --target ios18\n"
        "anemone convert Landmark_98.pkl -o star.mlpackage --input tensor --precision fp32\n"
        "anemone convert mobilenet0.25_Final.pth -o retinaface.mlpackage --shapes 640x640,320x320\n"
        "anemone convert in.mlpackage -o out.mlpackage --passes none",
    .run = run_convert};

const Verb kOptimizeVerb{.name = "optimize",
                         .arguments = "MODEL -o OUT",
                         .summary = "runs the passes over a model; the output's ending decides the format",
                         .examples =
                             "anemone optimize model.mlpackage -o better.mlpackage --stats\n"
                             "anemone optimize model.mlpackage -o model.mil --passes dead_code_elimination",
                         .run = run_optimize};

}  // namespace anemone::cli
