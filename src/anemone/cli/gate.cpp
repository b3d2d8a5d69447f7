// The verb `gate`: does a model reach its targets?
#include "anemone/report/gate.h"
#include "anemone/cli/model_options.h"
#include "anemone/cli/verbs.h"
#include "anemone/toolchain/verify.h"

namespace anemone::cli {
namespace {

int run_gate(Call& call) {
  std::string path, targets_file;
  std::optional<std::string> reference, images, truth;
  std::vector<std::string> measured;
  toolchain::GateRequest request;
  toolchain::VerifyRequest verify;
  ModelFlags flags;
  call.options.argument("MODEL", path, "a checkpoint, package, compiled folder, model file, MIL text or ONNX file");
  call.options.value("--targets", "FILE.toml", targets_file, "what it is to reach; targets/star.toml is an example",
                     {.required = true});
  call.options.repeated("--measured", "FILE.json", measured,
                        "what bench, verify or detect printed with --json, or a device's anemone.device/1");
  call.options.value("--against", "REFERENCE", reference, "verify it against this model, here and now");
  call.options.value("--images", "DIR", images, "the pictures to verify it on");
  call.options.value("--truth", "FILE", truth,
                     "what people marked on these pictures: how much the error grows, exactly");
  call.options.flag("--resize", verify.session.resize, "resize pictures of another size");
  call.options.value("--device", "CHIP", request.device, "the chip of the predictions (that of the targets, else m1)");
  flags.declare(call.options);
  if (const auto over = call.parse()) return *over;
  if (images && !reference)
    return call.misused(bad_usage("--images is what --against is verified on", "add --against REFERENCE"));
  if ((truth || verify.session.resize) && !images)
    return call.misused(bad_usage("--truth and --resize are about the pictures of --images", "add --images DIR"));
  const auto targets = toolchain::read_targets(targets_file);
  if (!targets) return call.fail(targets.error());
  for (const std::string& file : measured) {
    auto read = toolchain::read_measurements(file);
    if (!read) return call.fail(read.error());
    request.measured.push_back(*std::move(read));
  }
  verify.session.threads = call.threads;
  verify.truth = truth.value_or("");
  if (images) {
    auto pictures = toolchain::pictures_in(*images);
    if (!pictures) return call.fail(pictures.error());
    verify.pictures = *std::move(pictures);
  }
  const auto model = load(path, flags.load(call, reference.has_value()));
  if (!model) return call.fail(model.error());
  std::optional<toolchain::VerifyResult> verified;
  if (reference) {
    const auto other = load(*reference, flags.load(call, true));
    if (!other) return call.fail(other.error());
    auto result = verify_models(*model, *other, verify);
    if (!result) return call.fail(result.error());
    verified = *std::move(result);
    request.verified = &*verified;
  }
  const auto result = gate(*model, *targets, request);
  if (!result) return call.fail(result.error());
  call.page(call.json ? report::gate_json(*result) : report::gate_text(*result));
  return call.answer(result->met.value_or(true));
}

}  // namespace

const Verb kGateVerb{
    .name = "gate",
    .arguments = "MODEL --targets FILE.toml",
    .summary = "holds a model against its targets: what is met, missed or open, and what says so",
    .details =
        "A target names what may satisfy it: a prediction, a measurement on this machine, or one on the device. A\n"
        "prediction never stands for a measurement: such a target stays open, with the prediction beside it.",
    .examples =
        "anemone gate star.mlpackage --targets targets/star.toml\n"
        "anemone gate star.mlpackage --targets targets/star.toml --against Landmark_98.pkl --json",
    .group = VerbGroup::main,
    .says_no = "a must is missed",
    .run = run_gate};

}  // namespace anemone::cli
