// The verb `bench`: latency and memory on this machine.
#include "anemone/report/bench.h"

#include <fmt/format.h>

#include <initializer_list>

#include "anemone/cli/session_options.h"
#include "anemone/cli/verbs.h"
#include "anemone/report/engine_plan.h"
#include "anemone/toolchain/bench.h"

namespace anemone::cli {
namespace {

enum class ThePeer : std::uint8_t { ort };
constexpr Choice<ThePeer> kPeers[] = {{"ort", ThePeer::ort}};

/// An option that an answer would leave out.
struct Asked {
  const char* option;
  bool given;
};

/// The error of the first one that was given beside `option`, which cannot do both.
Result<void> alone(const char* option, const char* what, std::initializer_list<Asked> others) {
  for (const Asked& other : others) {
    if (other.given)
      return bad_usage(fmt::format("{} {}, and {} would be left out of it", option, what, other.option),
                       "leave one out");
  }
  return {};
}

int run_bench(Call& call) {
  std::string path;
  std::optional<std::string> against;
  std::optional<int> runs;
  std::optional<double> seconds;
  int warm_up = 3, streams = 1;
  bool plan = false, csv = false;
  std::optional<ThePeer> peer;
  toolchain::BenchRequest request;
  SessionFlags flags;
  call.options.argument("MODEL", path, "the model to time");
  call.options.value("--against", "MODEL2", against, "another one, run in turn with the first");
  call.options.choice("--peer", peer, kPeers,
                      "another program, run in turn with ours: ONNX Runtime on this CPU, where it is installed");
  call.options.value("--runs", "N", runs, "timed runs (20)", {.at_least = 1, .at_most = 100000});
  call.options.value("--seconds", "T", seconds, "time for so long instead", {.at_least = 0.001, .at_most = 86400});
  call.options.value("--warm-up", "N", warm_up, "runs before them", {.at_least = 0, .at_most = 1000});
  call.options.value("--streams", "N", streams, "besides, calls at a time, each with its share of the threads",
                     {.at_least = 1, .at_most = 1024});
  call.options.flag("--per-op", request.per_op,
                    "what each call of a kernel takes, its GFLOP/s, and its share of what the machine does at most");
  call.options.flag("--csv", csv, "print comma-separated values: the models, or with --per-op the operations");
  call.options.flag("--plan", plan, "time nothing: list the calls of kernels that one run is made of");
  flags.declare(call.options);
  if (const auto over = call.parse()) return *over;
  request.session = flags.read(call);
  const bool many = streams > 1;
  if (plan) {
    if (const auto one = alone("--plan", "lists one model's calls and times nothing",
                               {{"--against", against.has_value()},
                                {"--peer", peer.has_value()},
                                {"--runs", runs.has_value()},
                                {"--seconds", seconds.has_value()},
                                {"--streams", many},
                                {"--per-op", request.per_op},
                                {"--csv", csv}});
        !one)
      return call.misused(one.error().front());
  }
  if (csv) {
    if (const auto one = alone(
            "--csv", request.per_op ? "with --per-op is a table of one model's operations" : "is a table of models",
            {{"--streams", many}, {"--against", against && request.per_op}, {"--peer", peer && request.per_op}});
        !one)
      return call.misused(one.error().front());
  }
  if (peer && !request.session.outputs.empty())
    return call.misused(bad_usage("--outputs cuts our network, and --peer would time the whole one", "leave one out"));
  if (const auto sums = flags.check_sums(); !sums) return call.misused(sums.error().front());
  if (runs && seconds) return call.misused(bad_usage("--runs and --seconds both say when to stop", "leave one out"));
  if (csv && call.json) return call.misused(bad_usage("--csv and --json are two forms of one answer", "leave one out"));
  if (runs) request.runs = static_cast<std::size_t>(*runs);
  request.seconds = seconds;
  request.streams = streams;
  request.ort_peer = peer.has_value();
  request.warm_up = static_cast<std::size_t>(warm_up);
  request.batch = flags.batch();
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
  if (csv) {
    call.print(report::bench_csv(*result));
    return 0;
  }
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
        "anemone bench star.mlpackage --seconds 1 --per-op\n"
        "anemone bench star.mlpackage --runs 10 --streams 2\n"
        "anemone bench star.mlpackage --plan",
    .group = VerbGroup::look,
    .run = run_bench};

}  // namespace anemone::cli
