// Latency and memory on this machine's CPU; two models run in turn, so that drift hits both.
#include "anemone/toolchain/bench.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>
#ifdef __APPLE__
#include <sys/sysctl.h>
#endif

#include <algorithm>
#include <fstream>
#include <map>
#include <memory>

#include "anemone/ops/random_inputs.h"
#include "anemone/passes/pass.h"
#include "anemone/runtime/background.h"
#include "anemone/runtime/peak.h"
#include "anemone/support/file.h"
#include "anemone/toolchain/engine_plan.h"
#include "anemone/toolchain/export.h"
#include "anemone/toolchain/onnx_model.h"
#include "anemone/toolchain/ort_peer.h"
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

double quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  const double at = q * static_cast<double>(values.size() - 1);
  const auto low = static_cast<std::size_t>(at);
  const std::size_t high = std::min(low + 1, values.size() - 1);
  return values[low] + (at - static_cast<double>(low)) * (values[high] - values[low]);
}

/// Whoever is timed.
class Contestant {
 public:
  Contestant() = default;
  Contestant(const Contestant&) = delete;
  Contestant& operator=(const Contestant&) = delete;
  virtual ~Contestant() = default;
  /// One call, in milliseconds.
  virtual Result<double> once() = 0;
  /// What a round leaves behind besides its time.
  virtual void note() {}

  BenchSide side;
};

class Ours : public Contestant {
 public:
  Ours(Session session, std::vector<Array> inputs, bool per_op)
      : session_(std::move(session)), inputs_(std::move(inputs)), per_op_(per_op) {
    const auto is_whole = [](const Array& array) { return !is_float(array.dtype) && array.dtype != DType::boolean; };
    if (std::any_of(inputs_.begin(), inputs_.end(), is_whole)) return;
    for (const Array& array : inputs_) floats_.emplace_back(array.data.begin(), array.data.end());
  }

  /// As a program calls it: from floats in memory to floats in memory.
  Result<double> once() override {
    if (runtime::Engine* engine = floats_.empty() ? nullptr : session_.engine()) {
      const std::vector<std::span<const float>> given(floats_.begin(), floats_.end());
      const Stopwatch watch;
      TRY_VOID(engine->run_floats(given));
      return watch.ms();
    }
    const Stopwatch watch;
    TRY(const std::vector<Array> results, session_.run(inputs_));
    return watch.ms();
  }

  void note() override {
    if (!per_op_) return;
    const std::vector<runtime::StepTiming> steps = session_.timings();
    step_ms_.resize(steps.size());
    for (std::size_t i = 0; i < steps.size(); ++i) step_ms_[i].push_back(steps[i].ms);
  }

  void summarise_calls() {
    const std::vector<runtime::StepTiming> steps = session_.timings();
    const std::optional<runtime::PlanListing> plan = per_op_ ? session_.plan() : std::nullopt;
    std::map<std::string, double> by_type;
    for (const runtime::StepTiming& step : steps) by_type[step.type] += step.ms;
    side.by_type.assign(by_type.begin(), by_type.end());
    std::stable_sort(side.by_type.begin(), side.by_type.end(),
                     [](const auto& a, const auto& b) { return a.second > b.second; });
    double total = 0;
    for (std::size_t i = 0; i < step_ms_.size(); ++i) {
      BenchOp& op = side.ops.emplace_back();
      op.name = steps[i].name;
      op.type = steps[i].type;
      op.macs = steps[i].macs;
      op.ms = quantile(step_ms_[i], 0.5);
      total += op.ms;
      if (op.ms > 0) op.gflops = 2e-6 * static_cast<double>(op.macs) / op.ms;
      op.algorithm = plan ? plan->calls[i].algorithm : "";
      op.fewer_products = op.algorithm == "winograd";
    }
    for (BenchOp& op : side.ops) op.share = total > 0 ? op.ms / total : 0;
    std::stable_sort(side.ops.begin(), side.ops.end(), [](const BenchOp& a, const BenchOp& b) { return a.ms > b.ms; });
  }

  const Session& session() const { return session_; }

 private:
  Session session_;
  std::vector<Array> inputs_;
  std::vector<std::vector<float>> floats_;    // the inputs, where the engine takes them as they are
  std::vector<std::vector<double>> step_ms_;  // of each call, a time a run
  bool per_op_;
};

class Peer : public Contestant {
 public:
  explicit Peer(OrtPeer peer) : peer_(std::move(peer)) {}
  Result<double> once() override {
    const Stopwatch watch;
    TRY_VOID(peer_.run());
    return watch.ms();
  }

 private:
  OrtPeer peer_;
};

Result<void> warm_up(Contestant& contestant, const BenchRequest& request, const Talk& talk) {
  for (std::size_t i = 0; i < request.warm_up; ++i) {
    TRY(const double warm, contestant.once());
    talk.more(fmt::format("warm-up {} of {}: {:.2f} ms", contestant.side.model, i + 1, warm));
  }
  return {};
}

Result<std::unique_ptr<Ours>> prepare(const Model& model, const BenchRequest& request, const SessionOptions& options) {
  const Stopwatch watch;
  TRY(Session session, Session::open(model, {}, options));
  const auto takes_batch = [&](const auto& input) {
    return input->type.rank() > 0 && input->type.dims[0] == request.batch;
  };
  const auto& values = session.function().body.inputs;
  if (request.batch > 1 && std::none_of(values.begin(), values.end(), takes_batch))
    return fixed_batch(model.path, request.batch);
  TRY_VOID(session.compile());
  const double load_ms = 1e3 * model.seconds + watch.ms();
  TRY(std::vector<Array> inputs, ops::random_inputs(session.function(), 1));
  auto ours = std::make_unique<Ours>(std::move(session), std::move(inputs), request.per_op);
  ours->side.model = model.path.string();
  ours->side.load_ms = load_ms;
  ours->side.macs = total_macs(ours->session().function());
  TRY_VOID(warm_up(*ours, request, model.talk));
  return ours;
}

/// Runs the ONNX file itself; of other models the plain network in fp32, exported to a temporary file.
Result<std::unique_ptr<Peer>> prepare_peer(const Model& model, const BenchRequest& request, int threads,
                                           BenchPeer& about) {
  TRY(OrtPeer peer, OrtPeer::open());
  about.name = "onnxruntime";
  about.version = peer.version();
  about.library = peer.library();
  Model exported;
  std::optional<PendingOutput> temporary;
  if (!model.onnx) {
    const auto name = fmt::format("anemone-{}.onnx", ::getpid());
    TRY(PendingOutput place,
        PendingOutput::create(std::filesystem::temp_directory_path() / name, PendingOutput::Kind::file));
    temporary.emplace(std::move(place));
    ConvertOptions convert;
    convert.precision = PackagePrecision::fp32;
    TRY_VOID(deliver_onnx(model, temporary->path(), convert));
    TRY(exported, load(temporary->path()));
  }
  const Model& network = model.onnx ? model : exported;
  const Stopwatch watch;
  TRY_VOID(peer.load(network.path, threads));
  const double load_ms = watch.ms();
  TRY(const Session session, Session::open(network, {}, {}));
  const Function& main = session.function();
  TRY(const std::vector<Array> made, ops::random_inputs(main, 1));
  std::vector<Array> arrays;
  for (const std::string& name : peer.inputs()) {
    const auto at = std::find_if(main.body.inputs.begin(), main.body.inputs.end(),
                                 [&](const auto& input) { return input->name == program_name(network, name); });
    if (at == main.body.inputs.end())
      return bad_usage(fmt::format("ONNX Runtime wants an input '{}' that has no use", name), "leave --peer out");
    arrays.push_back(made[static_cast<std::size_t>(at - main.body.inputs.begin())]);
    for (const onnx::Port& port : network.onnx_inputs) {
      if (port.name == name && port.dims.empty()) arrays.back().dims.clear();
    }
  }
  TRY_VOID(peer.give(arrays));
  auto contestant = std::make_unique<Peer>(std::move(peer));
  contestant->side.model = fmt::format("ONNX Runtime {}", about.version);
  contestant->side.load_ms = load_ms;
  contestant->side.macs = total_macs(main);
  TRY_VOID(warm_up(*contestant, request, model.talk));
  return contestant;
}

void summarise(BenchSide& side) {
  side.median_ms = quantile(side.runs_ms, 0.5);
  side.p90_ms = quantile(side.runs_ms, 0.9);
  side.p99_ms = quantile(side.runs_ms, 0.99);
  side.min_ms = quantile(side.runs_ms, 0);
  side.max_ms = quantile(side.runs_ms, 1);
  const double low = quantile(side.runs_ms, 0.25), high = quantile(side.runs_ms, 0.75);
  side.outlier_ms = high + 1.5 * (high - low);
  side.outliers = static_cast<std::size_t>(
      std::count_if(side.runs_ms.begin(), side.runs_ms.end(), [&](double ms) { return ms > side.outlier_ms; }));
}

/// Of the rounds' own ratios: drift hits both sides of each.
BenchRatio ratio_of(const BenchSide& mine, const BenchSide& theirs) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < mine.runs_ms.size(); ++i) ratios.push_back(mine.runs_ms[i] / theirs.runs_ms[i]);
  return {quantile(ratios, 0.5), quantile(ratios, 0.25), quantile(ratios, 0.75)};
}

Result<void> run_rounds(const std::vector<Contestant*>& contestants, const BenchRequest& request, const Talk& talk) {
  const Stopwatch watch;
  const std::size_t wanted = request.runs.value_or(request.seconds ? 3 : 20);
  for (std::size_t round = 0; round < wanted || (request.seconds && watch.seconds() < *request.seconds); ++round) {
    for (std::size_t k = 0; k < contestants.size(); ++k) {
      Contestant& contestant = *contestants[round % 2 == 0 ? k : contestants.size() - 1 - k];
      TRY(const double ms, contestant.once());
      contestant.side.runs_ms.push_back(ms);
      contestant.note();
    }
    talk.at("timing", round + 1, std::max(wanted, round + 1));
    talk.more(fmt::format("run {}: {:.2f} ms", round + 1, contestants[0]->side.runs_ms.back()));
  }
  return {};
}

/// Nothing that does all its products is faster than the machine, however it was disturbed when its peak was measured.
void hold_against_peak(const std::vector<Contestant*>& contestants, BenchPeak& peak) {
  peak.gflops = std::max(peak.before, peak.after);
  for (const Contestant* contestant : contestants) {
    for (const BenchOp& op : contestant->side.ops) {
      if (!op.fewer_products) peak.gflops = std::max(peak.gflops, op.gflops);
    }
  }
  for (Contestant* contestant : contestants) {
    for (BenchOp& op : contestant->side.ops) op.of_peak = op.gflops / peak.gflops;
  }
}

/// As many calls a stream as one alone was timed with.
Result<BenchStreams> run_streams(const Model& model, const BenchRequest& request, int threads, std::size_t runs) {
  BenchStreams out;
  out.streams = request.streams;
  out.threads_each = std::max(1, threads / request.streams);
  SessionOptions options = request.session;
  options.threads = out.threads_each;
  BenchRequest quiet = request;
  quiet.per_op = false;
  std::vector<std::unique_ptr<Ours>> streams;
  for (int i = 0; i < request.streams; ++i) {
    TRY(streams.emplace_back(), prepare(model, quiet, options));
  }
  std::vector<Result<void>> ended(streams.size());
  const Stopwatch watch;
  {
    std::vector<std::unique_ptr<runtime::Background>> work;
    for (std::size_t i = 0; i < streams.size(); ++i) {
      work.push_back(std::make_unique<runtime::Background>([&streams, &ended, i, runs] {
        ended[i] = [&]() -> Result<void> {
          for (std::size_t k = 0; k < runs; ++k) {
            TRY(const double ms, streams[i]->once());
            streams[i]->side.runs_ms.push_back(ms);
          }
          return {};
        }();
      }));
    }
  }
  const double seconds = watch.seconds();
  std::vector<double> all;
  for (std::size_t i = 0; i < streams.size(); ++i) {
    TRY_VOID(std::move(ended[i]));
    all.insert(all.end(), streams[i]->side.runs_ms.begin(), streams[i]->side.runs_ms.end());
  }
  out.calls_per_second = static_cast<double>(all.size()) / seconds;
  out.median_ms = quantile(all, 0.5);
  return out;
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
  TRY(const std::unique_ptr<Ours> first, prepare(model, request, request.session));
  std::vector<Contestant*> contestants{first.get()};
  const int threads = first->session().threads();
  std::unique_ptr<Ours> second;
  if (against) {
    TRY(second, prepare(*against, request, request.session));
    contestants.push_back(second.get());
  }
  BenchResult result;
  std::unique_ptr<Peer> peer;
  if (request.ort_peer) {
    result.peer.emplace();
    TRY(peer, prepare_peer(model, request, threads, *result.peer));
    contestants.push_back(peer.get());
  }
  const auto measure_peak = [threads] {
    runtime::ThreadPool pool(threads);
    return runtime::peak_gflops(pool);
  };
  if (request.per_op) result.peak = BenchPeak{.before = measure_peak()};
  TRY_VOID(run_rounds(contestants, request, model.talk));
  if (result.peak) result.peak->after = measure_peak();
  for (Contestant* contestant : contestants) summarise(contestant->side);
  first->summarise_calls();
  if (second) second->summarise_calls();
  if (result.peak) hold_against_peak(contestants, *result.peak);
  if (second) {
    result.against = second->side;
    result.ratio = ratio_of(first->side, second->side);
  }
  if (peer) {
    result.peer->side = peer->side;
    result.peer->ratio = ratio_of(first->side, peer->side);
  }
  result.runs = first->side.runs_ms.size();
  if (request.streams > 1) {
    TRY(result.streams, run_streams(model, request, threads, result.runs));
  }
  result.model = first->side;
  result.batch = request.batch;
  result.peak_rss_bytes = peak_rss();
  result.threads = threads;
  result.cpu = cpu_name();
  result.isa = runtime::instruction_set();
  result.precision = precision_name(request.session);
  for (const auto& input : first->session().function().body.inputs)
    result.input_shapes.emplace_back(input->name, input->type.dims);
  result.outputs = request.session.outputs;
  result.accumulate = accumulate_name(request.session.half_sums);
  return result;
}

}  // namespace anemone::toolchain
