// The verb `verify`: do two models give the same numbers?
#include "anemone/report/verify.h"
#include "anemone/cli/session_options.h"
#include "anemone/cli/verbs.h"
#include "anemone/support/file.h"
#include "anemone/toolchain/face_networks.h"
#include "anemone/toolchain/verify.h"

namespace anemone::cli {
namespace {

int run_verify(Call& call) {
  std::string candidate, reference;
  std::optional<std::string> images;
  std::optional<std::uint64_t> seed;
  std::optional<double> max_mean_px, max_px;
  std::optional<std::string> save, faces, truth;
  std::optional<double> max_nme_change;
  std::optional<int> top;
  runtime::Precision reference_precision = runtime::Precision::as_stored;
  std::vector<std::string> inputs;
  toolchain::VerifyRequest request;
  SessionFlags flags;
  call.options.argument("CANDIDATE", candidate, "the model in question");
  call.options.value("--against", "REFERENCE", reference, "the model that is right", {.required = true});
  call.options.repeated(
      "--image,--input", "[NAME=]FILE", inputs,
      "a tensor or an image; may be repeated; default: the built-in face and seeded changes of it for "
      "landmark networks, else seeded pictures or numbers");
  call.options.value("--images", "DIR", images, "every picture of a folder");
  call.options.value("--faces", "DETECTOR", faces, "of --images: find the faces, and cut each out as 'detect' does");
  call.options.value("--truth", "FILE", truth,
                     "what people marked on the pictures, in the forms that 'score' reads: both models against it");
  call.options.value("--max-nme-change", "PERCENT", max_nme_change,
                     "of --truth: how much larger the candidate's error may be than the reference's (2)");
  call.options.value("--seed", "N", seed, "of the inputs that are made (1)", {.at_least = 0});
  call.options.value("--max-mean-px", "PX", max_mean_px,
                     "limit of the mean landmark distance, in pixels of the crop (0.15)", {.at_least = 0});
  call.options.value("--max-px", "PX", max_px, "limit of the largest landmark distance (1)", {.at_least = 0});
  call.options.value("--min-psnr", "DB", request.min_psnr_db, "limit of every output's peak signal-to-noise ratio");
  call.options.flag("--layers", request.layers,
                    "compare the values inside, on the worst input: where the error first jumps, and which operations "
                    "add most of it");
  call.options.value("--top", "N", top, "of --layers: how many operations are listed (10)",
                     {.at_least = 1, .at_most = 100000});
  call.options.value("--save", "DIR", save,
                     "where something fails: the inputs, the outputs of both and, with --layers, the values of the "
                     "worst operations, as .npy with an index.json");
  call.options.choice("--against-precision", reference_precision, kPrecisions, "how the reference's executor rounds");
  flags.declare(call.options);
  if (const auto over = call.parse()) return *over;
  if (seed && (images || !inputs.empty()))
    return call.misused(bad_usage("--seed is of inputs that are made, and some are given", "leave one out"));
  if (faces && !images) return call.misused(bad_usage("--faces is for the pictures of --images", "add --images DIR"));
  if (truth && !images && inputs.empty())
    return call.misused(bad_usage("--truth is for pictures, and none are given", "add --images DIR or --input FILE"));
  if (max_nme_change && !truth)
    return call.misused(bad_usage("--max-nme-change is a limit of --truth", "add --truth FILE"));
  request.truth = truth.value_or("");
  request.max_nme_change_percent = max_nme_change.value_or(request.max_nme_change_percent);
  if (top && !request.layers)
    return call.misused(bad_usage("--top says how many operations --layers lists", "add --layers"));
  const auto most_layers = static_cast<std::size_t>(top.value_or(10));
  request.save = save.value_or("");
  if (reference_precision != runtime::Precision::as_stored) request.reference_precision = reference_precision;
  request.seed = seed.value_or(request.seed);
  request.max_mean_px = max_mean_px.value_or(request.max_mean_px);
  request.max_px = max_px.value_or(request.max_px);
  request.session = flags.read(call);
  if (const auto sums = flags.check_sums(); !sums) return call.misused(sums.error().front());
  auto files = toolchain::read_inputs(inputs);
  if (!files) return call.fail(files.error());
  request.inputs = *std::move(files);
  if (images) {
    auto pictures = toolchain::pictures_in(*images);
    if (!pictures) return call.fail(pictures.error());
    request.pictures = *std::move(pictures);
  }
  const auto mine = load(candidate, flags.load(call, true));
  if (!mine) return call.fail(mine.error());
  const auto theirs = load(reference, flags.load(call, true));
  if (!theirs) return call.fail(theirs.error());
  std::optional<toolchain::Model> detector;
  if (faces) {
    if (!request.inputs.empty())
      return call.misused(bad_usage("--faces takes the faces of --images, and --input is given too", "leave one out"));
    auto loaded = toolchain::load_face_network(*faces, toolchain::kDetectorSide, call.talk());
    if (!loaded) return call.fail(loaded.error());
    request.faces = &detector.emplace(*std::move(loaded));
  }
  auto result = verify_models(*mine, *theirs, request);
  if (!result) return call.fail(result.error());
  if ((max_px || max_mean_px) && !result->landmarks)
    result->notes.push_back("neither model has landmarks: --max-px and --max-mean-px judge nothing");
  if (!result->saved.empty()) {
    const auto written = write_file(request.save / "index.json", report::saved_index_json(*result));
    if (!written) {
      result->save_problem = written.error();
      result->saved.clear();
    }
  }
  call.page(call.json ? report::verify_json(*result, most_layers) : report::verify_text(*result, most_layers));
  if (!result->save_problem.empty()) return call.told(result->save_problem);  // the verdict stands above it
  return call.answer(result->pass);
}

}  // namespace

const Verb kVerifyVerb{
    .name = "verify",
    .arguments = "CANDIDATE --against REFERENCE",
    .summary = "compares two models on the same inputs, output by output and landmark by landmark",
    .examples =
        "anemone verify star.mlpackage --against Landmark_98.pkl\n"
        "anemone verify star.mlpackage --against Landmark_98.pkl --input face1.png --input face2.png\n"
        "anemone verify star.mlpackage --against Landmark_98.pkl --images faces --resize\n"
        "anemone verify new.mlpackage --against old.mlpackage --min-psnr 60\n"
        "anemone verify star.mlpackage --against star.mlpackage --against-precision fp32 --layers",
    .group = VerbGroup::main,
    .says_no = "a number is out of tolerance",
    .run = run_verify};

}  // namespace anemone::cli
