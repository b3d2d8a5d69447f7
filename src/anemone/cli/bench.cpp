// The verb `bench`: latency and memory on this machine.
#include "anemone/report/bench.h"
#include "anemone/cli/session_options.h"
#include "anemone/cli/verbs.h"
#include "anemone/report/engine_plan.h"
#include "anemone/toolchain/bench.h"

namespace anemone::cli {
namespace {

int run_bench(Call& call) {
  std::string path;
  std::optional<std::string> against;
  int runs = 20, warm_up = 3;
  bool plan = false;
  SessionFlags flags;
  call.options.argument("MODEL", path, "the model to time");
  call.options.value("--against", "MODEL2", against, "another one, run in turn with the first");
  call.options.value("--runs", "N", runs, "timed runs", {.at_least = 1, .at_most = 100000});
  call.options.value("--warm-up", "N", warm_up, "runs before them", {.at_least = 0, .at_most = 1000});
  call.options.flag("--plan", plan, "time nothing: list the calls of kernels that one run is made of");
  flags.declare(call.options);
  if (const auto over = call.parse()) return *over;
  if (plan && against)
    return call.misused(bad_usage("--plan lists one model's calls, and --against names another", "leave one out"));
  toolchain::BenchRequest request;
  request.runs = static_cast<std::size_t>(runs);
  request.warm_up = static_cast<std::size_t>(warm_up);
  request.session = flags.read(call);
  const auto model = load(path, flags.load(call, against.has_value()));
  if (!model) return call.fail(model.error());
  if (plan) {
    const auto listed = engine_plan(*model, request.session);
    if (!listed) return call.fail(listed.error());
    call.page(call.json ? report::engine_plan_json(*listed) : report::engine_plan_text(*listed));
    return 0;
  }
  std::optional<toolchain::Model> other;
  if (against) {
    auto loaded = load(*against, flags.load(call, true));
    if (!loaded) return call.fail(loaded.error());
    other = *std::move(loaded);
  }
  const auto result = bench(*model, other ? &*other : nullptr, request);
  if (!result) return call.fail(result.error());
  call.page(call.json ? report::bench_json(*result) : report::bench_text(*result));
  return 0;
}

}  // namespace

const Verb kBenchVerb{
    .name = "bench",
    .arguments = "MODEL",
    .summary = "latency and memory on this machine's CPU: median of warm runs",
    .details = "The times are those of anemone's own executor on this CPU. They say nothing about the Neural Engine.",
    .examples =
        "anemone bench star.mlpackage --threads 2\n"
        "anemone bench star.mlpackage --against Landmark_98.pkl --runs 30 --json\n"
        "anemone bench star.mlpackage --plan",
    .group = VerbGroup::look,
    .run = run_bench};

}  // namespace anemone::cli
