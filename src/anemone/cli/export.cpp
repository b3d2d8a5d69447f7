// The verb `export`: the optimised graph as ONNX.
#include "anemone/toolchain/export.h"
#include "anemone/cli/convert_options.h"
#include "anemone/cli/verbs.h"

namespace anemone::cli {
namespace {

constexpr Choice<bool> kConsumers[] = {{"onnx", false}, {"ort-coreml", true}};

int run_export(Call& call) {
  std::string path, output;
  ConvertFlags flags(toolchain::PackagePrecision::fp32);
  toolchain::ExportOptions what;
  std::optional<std::string> ort;
  call.options.argument(
      "MODEL", path,
      "a PyTorch checkpoint, a .mlpackage or .mlmodelc folder, a model.mlmodel file, an ONNX file or MIL text");
  call.options.value("-o,--output", "OUT.onnx", output, "the file to write; - writes to stdout", {.required = true});
  call.options.group("the graph");
  call.options.value("--opset", "N", what.opset, "operations as this opset has them, 13 to 21",
                     {.at_least = 13, .at_most = 21});
  call.options.flag("--dynamic-batch", what.dynamic_batch, "any number of samples instead of one");
  call.options.choice(
      "--for", what.for_ort_coreml, kConsumers,
      "ort-coreml: no operation that ONNX Runtime's CoreML provider refuses, so that it takes all in one");
  call.options.value("--ort", "VERSION/FORMAT", ort,
                     "with '--for ort-coreml': what one release needs and no more (1.24/mlprogram); else all of them");
  call.options.flag("--fp16-interface", what.half_interface,
                    "with '--precision fp16': inputs and outputs are fp16 too; without it they are float");
  flags.declare(call);
  if (const auto over = call.parse()) return *over;
  const auto options = flags.read(call);
  if (!options) return call.fail(options.error());
  if (what.half_interface && options->precision != toolchain::PackagePrecision::fp16)
    return call.misused(bad_usage("--fp16-interface goes with '--precision fp16'"));
  if (ort) {
    if (!what.for_ort_coreml) return call.misused(bad_usage("--ort goes with '--for ort-coreml'"));
    const auto target = toolchain::ort_coreml_from(*ort);
    if (!target) return call.fail(target.error());
    what.ort = *target;
  }
  const bool stream = output == "-";
  if (const auto free = call.check_stream(false); stream && !free) return call.misused(free.error().front());
  if (!stream && std::filesystem::path(output).extension() != ".onnx")
    return call.misused(bad_usage("'" + output + "' does not end in .onnx", "'anemone convert' writes packages"));
  const auto model = load(path, flags.load(call, *options));
  if (!model) return call.fail(model.error());
  const auto bytes = [&call](std::string_view content) { call.bytes(content); };
  const auto delivered =
      stream ? deliver_onnx_stream(*model, *options, what, bytes) : deliver_onnx(*model, output, *options, what);
  if (!delivered) return call.fail(delivered.error());
  flags.show(call, *model, *delivered, stream);
  return 0;
}

}  // namespace

const Verb kExportVerb{
    .name = "export",
    .arguments = "MODEL -o OUT.onnx",
    .summary = "the optimised graph as ONNX",
    .details =
        "A checkpoint keeps the tensor input that it was trained with. An image of a package becomes the tensor of its\n"
        "pixels, 0 to 255, in the order of its channels; scale and bias stay in the graph, and the file's metadata says\n"
        "so. Names of inputs and outputs are the model's.\n"
        "What ONNX cannot express is listed at once, before anything is written.\n"
        "'--for ort-coreml' keeps the numbers but for rounding; where it does not, '--stats' says so.",
    .examples =
        "anemone export Landmark_98.pkl -o star.onnx\n"
        "anemone export Landmark_98.pkl -o star.onnx --for ort-coreml --stats\n"
        "anemone export Landmark_98.pkl -o star.onnx --dynamic-batch\n"
        "anemone export star.mlpackage -o star.onnx --opset 13\n"
        "anemone export Landmark_98.pkl -o star.onnx --precision fp16\n"
        "anemone export Landmark_98.pkl -o - | wc -c",
    .group = VerbGroup::look,
    .run = run_export};

}  // namespace anemone::cli
