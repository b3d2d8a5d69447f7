// The verb `run`: executes a model on this machine.
#include "anemone/report/run.h"
#include "anemone/cli/session_options.h"
#include "anemone/cli/verbs.h"
#include "anemone/toolchain/run.h"

namespace anemone::cli {
namespace {

int run_run(Call& call) {
  std::string path, folder;
  std::vector<std::string> inputs;
  int steps = 1;
  SessionFlags flags;
  call.options.argument("MODEL", path, "a checkpoint, package, compiled folder, model file or MIL text");
  call.options.repeated("--image,--input", "[NAME=]FILE", inputs, "a tensor (.npy) or an image (.png, .jpg)");
  call.options.value("-o,--output", "DIR", folder, "where the outputs go, as NAME.npy", {.required = true});
  call.options.value("--steps", "N", steps, "run so often; states keep their content from step to step",
                     {.at_least = 1, .at_most = 100000});
  flags.declare(call.options);
  if (const auto over = call.parse()) return *over;
  const auto files = toolchain::read_inputs(inputs);
  if (!files) return call.fail(files.error());
  toolchain::LoadOptions how = flags.load(call);
  for (const auto& file : *files) {
    if (!file.is_image) how.input_shapes[file.name] = file.array.dims;
  }
  const auto model = load(path, how);
  if (!model) return call.fail(model.error());
  const auto result = run(*model, *files, folder, flags.read(call), steps);
  if (!result) return call.fail(result.error());
  call.page(call.json ? report::run_json(*result) : report::run_text(*result));
  return 0;
}

}  // namespace

const Verb kRunVerb{
    .name = "run",
    .arguments = "MODEL --input NAME=FILE … -o DIR",
    .summary = "executes a model on this machine's CPU and writes its outputs",
    .details =
        "A .npy file is the tensor that the graph itself takes (for a checkpoint the normalised float32 1x3xHxW).\n"
        "An image goes through the model's own image input, for a checkpoint through the network's trained\n"
        "preprocessing. Numbers are never changed to please: packages run as they are stored, checkpoints in fp32.",
    .examples =
        "anemone run star.mlpackage --input face.png -o out\n"
        "anemone run Landmark_98.pkl --input image=face.npy -o out --outputs pre,hgs0,landmarks\n"
        "anemone run model.mlpackage --input a=a.npy --input b=b.npy -o out --precision fp32",
    .group = VerbGroup::look,
    .run = run_run};

}  // namespace anemone::cli
