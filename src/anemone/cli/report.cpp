// The verb `report`: one page about a model, and about the one it was made from.
#include "anemone/cli/model_options.h"
#include "anemone/cli/report_page.h"
#include "anemone/cli/verbs.h"
#include "anemone/toolchain/verify_file.h"

namespace anemone::cli {

namespace {

int run_report(Call& call) {
  std::string path, output;
  std::optional<std::string> before, verified_file, baseline, images, targets;
  std::vector<std::string> measured;
  toolchain::ReportRequest request;
  ModelFlags flags;
  call.options.argument("MODEL", path, "a checkpoint, package, compiled folder, model file, MIL text or ONNX file");
  call.options.value("-o,--output", "OUT.html", output, "the page to write", {.required = true});
  call.options.value("--against", "BEFORE", before, "what it was made from: shown beside it, and verified against");
  call.options.value("--verify", "FILE.json", verified_file,
                     "what 'verify --json' printed, instead of running both models; without pictures");
  call.options.value("--baseline", "MODEL.onnx", baseline,
                     "how ONNX Runtime's CoreML provider took the network before");
  call.options.value("--ort", "VERSION/FORMAT", request.ort.target, "of which release (1.19/neuralnetwork)");
  call.options.value("--images", "DIR", images, "pictures to compare on and to show with the points of both models");
  call.options.flag("--resize", request.verify.session.resize, "resize pictures of another size");
  call.options.value("--targets", "FILE.toml", targets, "also the verdicts of 'anemone gate'");
  call.options.repeated("--measured", "FILE.json", measured, "what a device measured (anemone.device/1), as for gate");
  call.options.value("--device", "CHIP", request.device, "the chip of the plan");
  flags.declare(call.options);
  if (const auto over = call.parse()) return *over;
  if ((images || request.verify.session.resize) && !before)
    return call.misused(bad_usage("--images and --resize are about what --against compares", "add --against BEFORE"));
  if (verified_file && (images || request.verify.session.resize))
    return call.misused(
        bad_usage("--verify says what was compared, and --images or --resize say what to compare", "leave one out"));
  if (request.ort.target == "all")
    return call.misused(bad_usage("a report is about one release of ONNX Runtime", "name one, as 1.19/neuralnetwork"));
  std::vector<std::string> others = measured;
  for (const auto& file : {std::optional(path), before, verified_file, baseline, targets}) {
    if (file) others.push_back(*file);
  }
  if (const auto free = check_page(output, others); !free) return call.misused(free.error().front());
  request.verify.session.threads = call.threads;
  if (baseline) request.baseline = *baseline;
  if (targets) {
    auto read = toolchain::read_targets(*targets);
    if (!read) return call.fail(read.error());
    request.targets = *std::move(read);
  }
  for (const std::string& file : measured) {
    auto read = toolchain::read_measurements(file);
    if (!read) return call.fail(read.error());
    request.measured.push_back(*std::move(read));
  }
  std::optional<toolchain::VerifyResult> verified;
  if (verified_file) {
    auto read = toolchain::read_verification(*verified_file);
    if (!read) return call.fail(read.error());
    request.verified = &verified.emplace(*std::move(read));
  }
  if (images) {
    auto pictures = toolchain::pictures_in(*images);
    if (!pictures) return call.fail(pictures.error());
    request.verify.pictures = *std::move(pictures);
  }
  const auto model = load(path, flags.load(call, before.has_value()));
  if (!model) return call.fail(model.error());
  std::optional<toolchain::Model> other;
  if (before) {
    auto loaded = load(*before, flags.load(call, true));
    if (!loaded) return call.fail(loaded.error());
    other = *std::move(loaded);
    request.before = &*other;
  }
  auto report = make_report(*model, request);
  if (!report) return call.fail(report.error());
  const bool good = !report->accuracy || report->accuracy->verify.pass;
  const auto page = write_report(call, *std::move(report), output);
  if (!page) return call.fail(page.error());
  call.page(call.json ? page->json : page->text);
  return call.answer(good);
}

}  // namespace

const Verb kReportVerb{
    .name = "report",
    .arguments = "MODEL -o OUT.html",
    .summary = "one page about a model, beside what it was made from: placement, findings, accuracy, targets",
    .details =
        "The page loads nothing from elsewhere, and everything on it can be read without scripts. What is predicted and\n"
        "what was measured stands apart.",
    .examples =
        "anemone report star.mlpackage -o star.html\n"
        "anemone report star.mlpackage -o star.html --against Landmark_98.pkl --targets targets/star.toml\n"
        "anemone report star.mlpackage -o star.html --against Landmark_98.pkl --images faces --baseline star.onnx\n"
        "anemone verify star.mlpackage --against Landmark_98.pkl --json > verified.json\n"
        "anemone report star.mlpackage -o star.html --against Landmark_98.pkl --verify verified.json",
    .group = VerbGroup::main,
    .says_no = "the model and --against differ; the page is written all the same",
    .run = run_report};

}  // namespace anemone::cli
