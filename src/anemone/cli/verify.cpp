// The verb `verify`: do two models give the same numbers?
#include "anemone/report/verify.h"
#include "anemone/cli/session_options.h"
#include "anemone/cli/verbs.h"
#include "anemone/toolchain/verify.h"

namespace anemone::cli {
namespace {

int run_verify(Call& call) {
  std::string candidate, reference;
  std::optional<std::string> images;
  std::optional<std::uint64_t> seed;
  std::optional<double> max_mean_px, max_px;
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
  call.options.value("--seed", "N", seed, "of the inputs that are made (1)", {.at_least = 0});
  call.options.value("--max-mean-px", "PX", max_mean_px,
                     "limit of the mean landmark distance, in pixels of the crop (0.15)", {.at_least = 0});
  call.options.value("--max-px", "PX", max_px, "limit of the largest landmark distance (1)", {.at_least = 0});
  call.options.value("--min-psnr", "DB", request.min_psnr_db, "limit of every output's peak signal-to-noise ratio");
  flags.declare(call.options);
  if (const auto over = call.parse()) return *over;
  if (seed && (images || !inputs.empty()))
    return call.misused(bad_usage("--seed is of inputs that are made, and some are given", "leave one out"));
  request.seed = seed.value_or(request.seed);
  request.max_mean_px = max_mean_px.value_or(request.max_mean_px);
  request.max_px = max_px.value_or(request.max_px);
  request.session = flags.read(call);
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
  auto result = verify_models(*mine, *theirs, request);
  if (!result) return call.fail(result.error());
  if ((max_px || max_mean_px) && !result->landmarks)
    result->notes.push_back("neither model has landmarks: --max-px and --max-mean-px judge nothing");
  call.page(call.json ? report::verify_json(*result) : report::verify_text(*result));
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
        "anemone verify new.mlpackage --against old.mlpackage --min-psnr 60",
    .group = VerbGroup::main,
    .says_no = "a number is out of tolerance",
    .run = run_verify};

}  // namespace anemone::cli
