// Latency and memory on this machine's CPU; two models run in turn, so that drift hits both.
#include "anemone/toolchain/bench.h"

#include <fmt/format.h>
#include <sys/resource.h>
#ifdef __APPLE__
#include <sys/sysctl.h>
#endif

#include <algorithm>
#include <fstream>
#include <map>

#include "anemone/ops/random_inputs.h"
#include "anemone/passes/pass.h"
#include "anemone/toolchain/engine_plan.h"
#include "anemone/toolchain/summary.h"

namespace anemone::toolchain {
namespace {

std::string cpu_name() {
#ifdef __APPLE__
  char text[256] = {};
  std::size_t size = sizeof text - 1;
  return sysctlbyname("machdep.cpu.brand_string", text, &size, nullptr, 0) == 0 ? text : "unknown CPU";
#else
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    const std::size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown CPU";
#endif
}

struct Contestant {
  Session session;
  std::vector<Array> inputs;
  BenchSide side;
  std::vector<std::vector<float>> floats;  ///< the inputs, where the engine takes them as they are

  /// As a program calls it: from floats in memory to floats in memory.
  Result<double> once() {
    if (runtime::Engine* engine = floats.empty() ? nullptr : session.engine()) {
      const std::vector<std::span<const float>> given(floats.begin(), floats.end());
      const Stopwatch watch;
      TRY_VOID(engine->run_floats(given));
      return watch.ms();
    }
    const Stopwatch watch;
    TRY(std::vector<Array> results, session.run(inputs));
    return watch.ms();
  }
};

Result<Contestant> prepare(const Model& model, const BenchRequest& request) {
  const Stopwatch watch;
  TRY(Session session, Session::open(model, {}, request.session));
  TRY_VOID(session.compile());
  const double load_ms = 1e3 * model.seconds + watch.ms();
  TRY(std::vector<Array> inputs, ops::random_inputs(session.function(), 1));
  Contestant contestant{std::move(session), std::move(inputs), {}, {}};
  const auto is_whole = [](const Array& array) { return !is_float(array.dtype) && array.dtype != DType::boolean; };
  if (std::none_of(contestant.inputs.begin(), contestant.inputs.end(), is_whole)) {
    for (const Array& array : contestant.inputs) contestant.floats.emplace_back(array.data.begin(), array.data.end());
  }
  contestant.side.model = model.path.string();
  contestant.side.load_ms = load_ms;
  contestant.side.macs = total_macs(contestant.session.function());
  for (std::size_t i = 0; i < request.warm_up; ++i) {
    TRY(const double warm, contestant.once());
    model.talk.more(fmt::format("warm-up {} of {}: {:.2f} ms", model.path.string(), i + 1, warm));
  }
  return contestant;
}

double quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  const double at = q * static_cast<double>(values.size() - 1);
  const auto low = static_cast<std::size_t>(at);
  const std::size_t high = std::min(low + 1, values.size() - 1);
  return values[low] + (at - static_cast<double>(low)) * (values[high] - values[low]);
}

void finish(Contestant& contestant) {
  BenchSide& side = contestant.side;
  side.median_ms = quantile(side.runs_ms, 0.5);
  side.p90_ms = quantile(side.runs_ms, 0.9);
  side.p99_ms = quantile(side.runs_ms, 0.99);
  side.min_ms = quantile(side.runs_ms, 0);
  std::map<std::string, double> by_type;
  for (const runtime::StepTiming& step : contestant.session.timings()) by_type[step.type] += step.ms;
  side.by_type.assign(by_type.begin(), by_type.end());
  std::stable_sort(side.by_type.begin(), side.by_type.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
}

}  // namespace

std::string machine() {
  return fmt::format("{} on {}, {} threads", runtime::instruction_set(), cpu_name(), runtime::ThreadPool(0).threads());
}

std::uint64_t peak_rss() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
#ifdef __APPLE__
  return static_cast<std::uint64_t>(usage.ru_maxrss);
#else
  return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
#endif
}

Result<BenchResult> bench(const Model& model, const Model* against, const BenchRequest& request) {
  TRY(Contestant first, prepare(model, request));
  std::optional<Contestant> second;
  if (against) {
    TRY(second, prepare(*against, request));
  }
  std::vector<double> ratios;
  for (std::size_t i = 0; i < request.runs; ++i) {
    TRY(const double mine, first.once());
    first.side.runs_ms.push_back(mine);
    model.talk.at("timing", i + 1, request.runs);
    model.talk.more(fmt::format("run {}: {:.2f} ms", i + 1, mine));
    if (!second) continue;
    TRY(const double theirs, second->once());
    second->side.runs_ms.push_back(theirs);
    ratios.push_back(mine / theirs);
  }
  finish(first);
  BenchResult result;
  if (second) {
    finish(*second);
    result.against = second->side;
    result.ratio = quantile(ratios, 0.5);
  }
  result.model = first.side;
  result.runs = request.runs;
  result.peak_rss_bytes = peak_rss();
  result.threads = first.session.threads();
  result.cpu = cpu_name();
  result.isa = runtime::instruction_set();
  result.precision = precision_name(request.session);
  return result;
}

}  // namespace anemone::toolchain
