// The verbs `convert` and `optimize`: a model becomes an optimised package.

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "anemone/cli/convert_options.h"
#include "anemone/cli/verbs.h"

namespace anemone::cli {
namespace {

/// A command line word that a shell takes as it is.
std::string shell_word(const std::string& word) {
  const bool plain = std::all_of(word.begin(), word.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c >= 0x80 ||
           std::string_view("/._-+=@,:%").find(static_cast<char>(c)) != std::string_view::npos;
  });
  if (plain && !word.empty()) return word;
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

int run(Call& call, std::string_view output_help) {
  std::string path, output;
  bool dry_run = false;
  ConvertFlags flags;
  call.options.argument(
      "MODEL", path,
      "a PyTorch checkpoint, a .mlpackage or .mlmodelc folder, a model.mlmodel file, an ONNX file or MIL text");
  call.options.value("-o,--output", "OUT", output, output_help, {.required = true});
  call.options.flag("--dry-run", dry_run, "everything but the writing");
  flags.declare(call);
  if (const auto over = call.parse()) return *over;
  const bool stream = output == "-";
  if (stream && dry_run)
    return call.misused(bad_usage("--dry-run writes nothing, and '-o -' names where", "leave one out"));
  if (const auto free = call.check_stream(true); stream && !free) return call.misused(free.error().front());
  while (output.size() > 1 && output.back() == '/') output.pop_back();  // as completion in a shell writes a package
  const auto options = flags.read(call);
  if (!options) return call.fail(options.error());
  if (const Result<void> ending = toolchain::check_ending(output); !stream && !ending) return call.fail(ending.error());
  const auto model = load(path, flags.load(call, *options));
  if (!model) return call.fail(model.error());
  std::error_code ignored;
  const bool replaces = !dry_run && std::filesystem::exists(output, ignored);
  const auto print = [&call](std::string_view piece) { call.print(piece); };
  const auto delivered = stream ? deliver_text(*model, *options, print) : deliver(*model, output, *options, !dry_run);
  if (!delivered) return call.fail(delivered.error());
  flags.show(call, *model, *delivered, stream);
  if (stream) return 0;
  if (replaces) call.say("note: " + output + " was there before and is replaced");
  if (output.ends_with(".mlpackage") && !dry_run)
    call.say("next: anemone verify " + shell_word(output) + " --against " + shell_word(path));
  return 0;
}

int run_convert(Call& call) {
  return run(call,
             "the package to write (.mlpackage), or ONNX (.onnx), or a text with all weights in it "
             "(.mil); - writes the text to stdout");
}
int run_optimize(Call& call) {
  return run(call, "what to write: .mlpackage, .onnx or .mil; - writes MIL text to stdout");
}

}  // namespace

const Verb kConvertVerb{
    .name = "convert",
    .arguments = "MODEL -o OUT.mlpackage",
    .summary = "a checkpoint or package becomes an optimised Core ML package",
    .details =
        "The network is recognised from the names and shapes of its tensors; nothing in a checkpoint is executed.\n"
        "An interrupted run leaves the old package or none. The same input gives the same bytes.",
    .examples =
        "anemone convert Landmark_98.pkl -o star.mlpackage\n"
        "anemone convert Landmark_98.pkl -o star-all.mlpackage --outputs all --target ios18\n"
        "anemone convert Landmark_98.pkl -o star-fp32.mlpackage --input tensor --precision fp32\n"
        "anemone convert mobilenet0.25_Final.pth -o retinaface.mlpackage --shapes 640x640,320x320\n"
        "anemone convert star.mlpackage -o copy.mlpackage --passes none\n"
        "anemone convert Landmark_98.pkl -o star.mlpackage --dry-run",
    .group = VerbGroup::main,
    .run = run_convert};

const Verb kOptimizeVerb{.name = "optimize",
                         .arguments = "MODEL -o OUT",
                         .summary = "runs the passes over a model; the output's ending decides the format",
                         .examples =
                             "anemone optimize model.mlpackage -o better.mlpackage --stats\n"
                             "anemone optimize model.mlpackage -o model.mil --passes dead_code_elimination\n"
                             "anemone optimize model.mlpackage -o - | head -20",
                         .group = VerbGroup::look,
                         .run = run_optimize};

}  // namespace anemone::cli
