// The verbs `plan`, `explain` and `rules`: what Apple's Neural Engine would do with a model.
#include <fmt/format.h>

#include "anemone/cli/convert_options.h"
#include "anemone/cli/model_options.h"
#include "anemone/cli/report_page.h"
#include "anemone/cli/verbs.h"
#include "anemone/report/errors.h"
#include "anemone/report/ort_plan.h"
#include "anemone/report/plan_html.h"
#include "anemone/report/plan_json.h"
#include "anemone/report/plan_svg.h"
#include "anemone/report/plan_text.h"
#include "anemone/report/rules.h"
#include "anemone/report/what_if.h"
#include "anemone/support/file.h"

namespace anemone::cli {
namespace {

using plan::ComputeUnits;

constexpr Choice<ComputeUnits> kUnits[] = {{"cpu-ne", ComputeUnits::cpu_ne},
                                           {"all", ComputeUnits::all},
                                           {"cpu-gpu", ComputeUnits::cpu_gpu},
                                           {"cpu", ComputeUnits::cpu}};

struct PlanFlags {
  toolchain::PlanRequest request;
  ModelFlags model;

  void declare(Options& options) {
    options.value("--device", "CHIP", request.device, "the chip: a14, m1, m1pro, m4 …; 'all' makes a table of all");
    options.choice("--compute-units", request.units, kUnits, "what Core ML may use");
    model.declare(options);
    options.list("--outputs", "all|final|NAME,…", request.outputs, "of a checkpoint: what the package gives",
                 {.distinct = true});
    options.group("what if");
    options.list("--off", "TYPE,…", request.off, "operation types that the engine is assumed not to take");
    options.choice("--precision", request.precision, kPlannedPrecisions,
                   "fp16, fp32: the package that 'convert' would write");
    options.choice("--target", request.target, kTargets, "another deployment target");
  }

  toolchain::LoadOptions load(Call& call, bool one_of_several = false) const {
    toolchain::LoadOptions load = model.load(call, one_of_several);
    load.target = request.target;
    return load;
  }
};

/// A line for each of several models. One that cannot be planned is told and does not stop the others.
int plan_several(Call& call, const std::vector<std::string>& paths, const PlanFlags& flags, double least_percent) {
  std::vector<report::PlanRow> rows;
  int code = 0;
  bool enough = true;
  for (const std::string& path : paths) {
    report::PlanRow& row = rows.emplace_back(report::PlanRow{path, {}, {}});
    const auto planned = [&]() -> Result<toolchain::PlanResult> {
      TRY(const toolchain::Model model, load(path, flags.load(call, true)));
      return plan_model(model, flags.request);
    }();
    if (planned) {
      row.plan = planned->plans.front();
      enough = enough && row.plan->coverage_percent >= least_percent;
    } else {
      row.problem = planned.error().front();
      const int failed = call.told(planned.error());
      if (code == 0) code = failed;
    }
  }
  call.page(call.json ? report::plan_rows_json(rows) : report::plan_rows_text(rows));
  return code == 0 ? call.answer(enough) : code;
}

/// To a file, or to stdout instead of the plan.
Result<bool> drawn_to_stdout(Call& call, const std::string& file, const std::string& content) {
  if (file.empty()) return false;
  if (file == "-") {
    call.print(content);
    return true;
  }
  TRY_VOID(write_file(file, content));
  call.say("wrote " + file);
  return false;
}

int run_plan(Call& call) {
  std::vector<std::string> paths;
  std::string svg, html;
  std::vector<std::string> hypotheses;
  std::optional<std::string> other, other_device, ort;
  std::optional<double> fail_under;
  report::PlanView view;
  PlanFlags flags;
  call.options.arguments("MODEL…", paths,
                         "a checkpoint, package, compiled folder, model file, MIL text or ONNX file; several: a line "
                         "for each");
  call.options.value("--ort", "VERSION/FORMAT", ort,
                     "what ONNX Runtime's CoreML provider takes instead: 1.19/neuralnetwork … 1.24/mlprogram, or all");
  flags.declare(call.options);
  call.options.list("--what-if", "CHANGE,…", hypotheses,
                    "a table of alternatives: fp16, palettize4, int8, shapes=HxW, outputs=final, split=NAME, off=TYPE");
  call.options.group("output");
  call.options.flag("--per-op", view.per_op, "a line for each operation");
  call.options.list("--where", "KEY=VALUE,…", view.where,
                    "only these operations and what is found about them: unit=cpu, type=conv, code=ANE005 …");
  call.options.value("--top", "N", view.top, "only the N most expensive operations");
  call.options.value("--group", "KEY", view.group, "a line for each type, unit, code … instead");
  call.options.value("--compare", "MODEL2", other, "the same for a second model: before and after by type");
  call.options.value("--compare-device", "CHIP", other_device,
                     "the same on a second chip, of MODEL2 or of the same model");
  call.options.value("--svg", "FILE", svg, "also draw the program, coloured by unit; - writes it to stdout instead");
  call.options.value("--fail-under", "PERCENT", fail_under,
                     "exit with 1 when less of the operations are on the Neural Engine",
                     {.at_least = 0, .at_most = 100});
  call.options.value("--html", "FILE", html,
                     "also write a page: segments, findings, a table to search and sort; - as for --svg");
  if (const auto over = call.parse()) return *over;
  if (Result<void> good = report::check(view); !good) return call.misused(good.error().front());
  const std::string& path = paths.front();
  const bool table = flags.request.device == "all";
  const bool compares = other || other_device;
  for (const std::string* file : {&svg, &html}) {
    if (const auto free = call.check_stream(true); *file == "-" && !free) return call.misused(free.error().front());
  }
  std::vector<std::string> others = paths;
  if (other) others.push_back(*other);
  for (const std::string* page : {&svg, &html}) {
    if (const auto free = check_page(*page == "-" ? "" : *page, others); !free)
      return call.misused(free.error().front());
    others.push_back(*page);  // the drawing is no place for the page
  }
  if (svg == "-" && html == "-") return call.misused(bad_usage("--svg and --html cannot both be written to stdout"));
  if (paths.size() > 1) {
    if (ort || table || compares || !hypotheses.empty() || !svg.empty() || !html.empty() || view.per_op ||
        view.selects())
      return call.misused(bad_usage(
          fmt::format("'{}' is a second model, and several make a table of plans for one chip", paths[1]),
          "leave --ort, '--device all', comparisons, --what-if, pictures and selections out, or name one model"));
    return plan_several(call, paths, flags, fail_under.value_or(0));
  }
  if (ort) {
    if (other || other_device || fail_under || !svg.empty() || !html.empty() || !hypotheses.empty() ||
        !flags.request.off.empty() || view.selects())
      return call.misused(
          bad_usage("--ort is another plan: of the other options it takes --per-op, and --outputs and "
                    "--precision of what is exported first",
                    "leave the rest out"));
    const auto plans =
        toolchain::plan_for_ort(path, {*ort, flags.load(call), flags.request.outputs, flags.request.precision});
    if (!plans) return call.fail(plans.error());
    call.page(call.json ? report::ort_plan_json(*plans) : report::ort_plan_text(*plans, view.per_op));
    return 0;
  }
  if (table && (compares || !svg.empty() || !html.empty() || view.per_op || view.selects())) {
    return call.misused(bad_usage(
        "'--device all' makes a table, which goes with no comparison and no --svg, --html, --per-op, --where, --top or "
        "--group",
        "name one device"));
  }
  if (fail_under && (compares || !hypotheses.empty()))
    return call.misused(bad_usage("--fail-under is about one model as it is", "leave comparisons and --what-if out"));
  if (other_device == "all") return call.misused(bad_usage("a comparison is with one chip", "name one device"));
  const auto model = load(path, flags.load(call, other.has_value()));
  if (!model) return call.fail(model.error());
  if (!hypotheses.empty()) {
    if (table || compares)
      return call.misused(bad_usage("--what-if is about one model on one device", "name one device"));
    const auto alternatives = what_if(*model, flags.request, hypotheses);
    if (!alternatives) return call.fail(alternatives.error());
    call.page(call.json ? report::what_if_json(*alternatives) : report::what_if_text(*alternatives));
    return 0;
  }
  const auto result = plan_model(*model, flags.request);
  if (!result) return call.fail(result.error());
  for (const auto& [file, draw] : {std::pair(&svg, &report::plan_svg), std::pair(&html, &report::plan_html)}) {
    const auto over = file->empty() ? Result<bool>(false) : drawn_to_stdout(call, *file, draw(*result));
    if (!over) return call.fail(over.error());
    if (*over) return 0;
  }
  if (!compares) {
    call.page(call.json ? report::plan_json(*result, view) : report::plan_text(*result, view));
    bool enough = true;
    for (const plan::Plan& plan : result->plans) enough = enough && plan.coverage_percent >= fail_under.value_or(0);
    if (!enough) call.say(fmt::format("not enough: less than {} % are on the Neural Engine", *fail_under));
    return call.answer(enough);
  }
  const auto other_model = other ? load(*other, flags.load(call, true)) : Result<toolchain::Model>(copy(*model));
  if (!other_model) return call.fail(other_model.error());
  if (other_device) flags.request.device = *other_device;
  const auto after = plan_model(*other_model, flags.request);
  if (!after) return call.fail(after.error());
  call.page(call.json ? report::plan_comparison_json(*result, *after) : report::plan_comparison_text(*result, *after));
  return 0;
}

int run_explain(Call& call) {
  std::string code;
  call.options.argument(
      "CODE", code, "of a rule or finding, as plan and analyze name it, or of an error: ANE001, dead-weights, E0510");
  if (const auto over = call.parse()) return *over;
  const toolchain::RuleTables tables = toolchain::rule_tables();
  call.detail(fmt::format("{} rules and {} errors are known", tables.rules.size(), error_rows().size()));
  std::string upper = code;
  for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  for (const ErrorRow& row : error_rows()) {
    if (text_of(row.code) != upper) continue;
    call.page(call.json ? report::error_json(row) : report::error_text(row));
    return 0;
  }
  const auto rule = toolchain::rule_row(code);
  if (!rule) return call.misused(rule.error().front());
  call.page(call.json ? report::explain_json(*rule) : report::explain_text(*rule));
  return 0;
}

int run_rules(Call& call) {
  bool markdown = false;
  call.options.flag("--markdown", markdown, "as docs/reference/rules.md");
  if (const auto over = call.parse()) return *over;
  const toolchain::RuleTables tables = toolchain::rule_tables();
  call.detail(fmt::format("{} rules of the engine and {} of ONNX Runtime's provider, {} operation types, {} sources",
                          tables.rules.size(), tables.provider_rules.size(), tables.types.size(),
                          tables.sources.size()));
  if (markdown && !call.json) {
    call.print(report::rules_markdown(tables));
  } else {
    call.page(call.json ? report::rules_json(tables) : report::rules_text(tables));
  }
  return 0;
}

}  // namespace

const Verb kPlanVerb{
    .name = "plan",
    .arguments = "MODEL…",
    .summary = "where the operations would run on Apple's chips, what that costs, and what to change",
    .details =
        "A prediction from rules and cost models, with the evidence for each; nothing runs on a "
        "device. Operations are\n"
        "counted as Xcode's performance report counts them: without const and constexpr. A type of "
        "which nothing is known\n"
        "counts as off the engine. --json also names the operation behind each verdict.\n"
        "--ort asks another planner: which nodes of an ONNX file ONNX Runtime's CoreML provider takes, in "
        "how many pieces.\nSupported by the provider is not on the engine.",
    .examples =
        "anemone plan star.mlpackage\n"
        "anemone plan star.mlpackage --device all\n"
        "anemone plan before.mlpackage after.mlpackage star.onnx\n"
        "anemone plan star.mlpackage --device m1pro --off instance_norm --svg plan.svg\n"
        "anemone plan star.mlpackage --svg - > plan.svg\n"
        "anemone plan before.mlpackage --compare after.mlpackage\n"
        "anemone plan star.mlpackage --device m1 --compare-device m4\n"
        "anemone plan Landmark_98.pkl --outputs final --per-op\n"
        "anemone plan star.onnx --ort 1.19/neuralnetwork\n"
        "anemone plan star.onnx --ort all\n"
        "anemone plan star.mlpackage --fail-under 95",
    .group = VerbGroup::main,
    .says_no = "less is on the engine than --fail-under asks for",
    .run = run_plan};
const Verb kExplainVerb{
    .name = "explain",
    .arguments = "CODE",
    .summary = "one rule of a planner, or one error: what, why, instead, on what evidence",
    .examples = "anemone explain ANE001\nanemone explain ORT020\nanemone explain ane013 --json\nanemone explain E0510",
    .run = run_explain};
const Verb kRulesVerb{.name = "rules",
                      .arguments = "",
                      .summary = "the rules of the planners, and what is known of each operation type",
                      .examples = "anemone rules\nanemone rules --json",
                      .run = run_rules};

}  // namespace anemone::cli
