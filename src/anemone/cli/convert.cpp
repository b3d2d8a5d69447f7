// The verbs `convert` and `optimize`: a model becomes an optimised package.

#include <filesystem>

#include "anemone/cli/convert_options.h"
#include "anemone/cli/report_page.h"
#include "anemone/cli/verbs.h"
#include "anemone/report/convert.h"
#include "anemone/report/plan_json.h"
#include "anemone/report/plan_text.h"
#include "anemone/report/verify.h"

namespace anemone::cli {
namespace {

/// What `convert` does with its output besides.
struct Next {
  bool verify = false, plan = false;
  std::optional<std::string> report;

  bool any() const { return verify || plan || report; }
};

/// Verifies, plans and reports what was written, as the verbs of these names do. Returns the exit code.
int go_on(Call& call, const toolchain::Model& before, const std::string& output, const Next& next,
          const toolchain::ConvertResult& converted) {
  const auto after = toolchain::load(output, {.one_of_several = true, .talk = call.talk()});
  if (!after) return call.fail(after.error());
  std::vector<std::pair<std::string, std::string>> documents;
  const auto say = [&](const char* name, const std::string& text, const std::string& json) {
    if (call.json) {
      documents.emplace_back(name, json);
    } else {
      call.page(text);
    }
  };
  bool good = true;
  std::optional<toolchain::VerifyResult> verified;
  toolchain::VerifyRequest verify;
  verify.session.threads = call.threads;
  if (next.report) verify.keep_pictures = toolchain::kReportPictures;
  if (next.verify) {
    auto result = verify_models(*after, before, verify);
    if (!result) return call.fail(result.error());
    verified = *std::move(result);
    good = verified->pass;
    say("verify", report::verify_text(*verified, 0), report::verify_json(*verified, 0));
  }
  if (next.plan) {
    const auto planned = plan_model(*after, {});
    if (!planned) return call.fail(planned.error());
    say("plan", report::plan_text(*planned, {}), report::plan_json(*planned, {}));
  }
  if (next.report) {
    toolchain::ReportRequest request;
    request.before = &before;
    request.verify = verify;
    request.verified = verified ? &*verified : nullptr;
    auto report = make_report(*after, request);
    if (!report) return call.fail(report.error());
    good = good && report->accuracy->verify.pass;
    const auto page = write_report(call, *std::move(report), *next.report);
    if (!page) return call.fail(page.error());
    say("report", page->text, page->json);
  }
  if (call.json) call.page(report::convert_json(converted, documents));
  return call.answer(good);
}

int run(Call& call, std::string_view output_help, bool goes_on) {
  std::string path, output;
  bool dry_run = false;
  Next next;
  ConvertFlags flags;
  call.options.argument(
      "MODEL", path,
      "a PyTorch checkpoint, a .mlpackage or .mlmodelc folder, a model.mlmodel file, an ONNX file or MIL text");
  call.options.value("-o,--output", "OUT", output, output_help, {.required = true});
  call.options.flag("--dry-run", dry_run, "everything but the writing");
  if (goes_on) {
    call.options.flag("--verify", next.verify, "then compare it with MODEL, as 'anemone verify' does");
    call.options.flag("--plan", next.plan, "then say where it would run, as 'anemone plan' does");
    call.options.value("--report", "OUT.html", next.report, "then write a page about both, as 'anemone report' does");
  }
  flags.declare(call);
  if (const auto over = call.parse()) return *over;
  const bool stream = output == "-";
  if (stream && dry_run)
    return call.misused(bad_usage("--dry-run writes nothing, and '-o -' names where", "leave one out"));
  if (next.any() && (stream || dry_run))
    return call.misused(bad_usage("--verify, --plan and --report are about the file that is written",
                                  stream ? "name one with -o" : "leave --dry-run out"));
  if (const auto free = call.check_stream(true); stream && !free) return call.misused(free.error().front());
  while (output.size() > 1 && output.back() == '/') output.pop_back();  // as completion in a shell writes a package
  if (const auto free = check_page(next.report.value_or(""), {path, output}); !free)
    return call.misused(free.error().front());
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
  flags.show(call, *model, *delivered, stream || (call.json && next.any()));
  if (stream) return 0;
  if (replaces) call.say("note: " + output + " was there before and is replaced");
  if (next.any()) return go_on(call, *model, output, next, delivered->result);
  if (output.ends_with(".mlpackage") && !dry_run)
    call.say("next: anemone verify " + shell_word(output) + " --against " + shell_word(path) + flags.again());
  return 0;
}

int run_convert(Call& call) {
  return run(call,
             "the package to write (.mlpackage), or ONNX (.onnx), or a text with all weights in it "
             "(.mil); - writes the text to stdout",
             true);
}
int run_optimize(Call& call) {
  return run(call, "what to write: .mlpackage, .onnx or .mil; - writes MIL text to stdout", false);
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
        "anemone convert Landmark_98.pkl -o star.mlpackage --dry-run\n"
        "anemone convert Landmark_98.pkl -o star.mlpackage --verify --plan --report star.html",
    .group = VerbGroup::main,
    .says_no = "with --verify or --report: the output and MODEL do not agree",
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
