#pragma once
// The verb `bench`: latency and memory on this machine's CPU.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "anemone/support/result.h"
#include "anemone/toolchain/session.h"

namespace anemone::toolchain {

/// A call of a kernel, over all runs.
struct BenchOp {
  std::string name, type;  ///< of the value it makes; "conv+relu"
  double ms = 0;           ///< median
  double share = 0;        ///< of the time of all calls
  std::int64_t macs = 0;
  double gflops = 0, of_peak = 0;  ///< two operations a multiply-accumulate; against the machine's measured peak
  std::string algorithm;           ///< of kernels that have several: "gemm", "winograd"
  bool fewer_products = false;     ///< than `macs`, which are those of the definition: more than the peak is no wonder
};
/// What this machine does at most with so many threads, in GFLOP/s.
struct BenchPeak {
  double gflops = 0;             ///< the larger of the two below, or the fastest operation that does all its products
  double before = 0, after = 0;  ///< as measured before and after the runs
};
struct BenchSide {
  std::string model;
  double median_ms = 0, p90_ms = 0, p99_ms = 0, min_ms = 0, max_ms = 0, load_ms = 0;
  std::vector<double> runs_ms;
  std::size_t outliers = 0;  ///< runs above `outlier_ms`
  double outlier_ms = 0;     ///< the upper quartile and one and a half times the distance between the quartiles
  std::int64_t macs = 0;
  std::vector<std::pair<std::string, double>> by_type;  ///< operation type and ms of the last run, slowest first
  std::vector<BenchOp> ops;                             ///< when asked for, slowest first
};
/// How many times as long the model took as another one in the same round; quartiles over all rounds.
struct BenchRatio {
  double median = 0, low = 0, high = 0;
};
/// Several calls at a time, each with an engine of its own.
struct BenchStreams {
  int streams = 1, threads_each = 1;
  double calls_per_second = 0, median_ms = 0;
};
/// The same network by another program.
struct BenchPeer {
  std::string name, version, library;
  BenchSide side;
  BenchRatio ratio;
};
struct BenchResult {
  BenchSide model;
  std::optional<BenchSide> against;
  std::optional<BenchRatio> ratio;  ///< model / against
  std::optional<BenchPeer> peer;
  std::optional<BenchStreams> streams;
  std::size_t runs = 0;
  std::int64_t batch = 1;         ///< samples a call
  std::optional<BenchPeak> peak;  ///< when operations were asked for
  std::uint64_t peak_rss_bytes = 0;
  int threads = 0;
  std::string cpu, isa, precision;
  std::vector<std::pair<std::string, Dims>> input_shapes;  ///< of the model's inputs, as it was run
  std::vector<std::string> outputs;                        ///< that were asked for; empty: the model's own
  std::string accumulate;                                  ///< "fp16", "fp16-reductions"; empty: sums are wide
};

struct BenchRequest {
  std::optional<std::size_t> runs;  ///< default: 20, or as many as `seconds` hold
  std::optional<double> seconds;    ///< rounds are begun for so long; three at least
  std::size_t warm_up = 3;
  std::int64_t batch = 1;  ///< samples that the model was loaded to take at a time
  int streams = 1;
  bool per_op = false;
  bool ort_peer = false;  ///< ONNX Runtime, where it is installed: see ort_peer.h
  SessionOptions session;
};
/// `against` may be null. All contestants run in turn, in rounds, every other round backwards, so that drift hits all of
/// them alike.
Result<BenchResult> bench(const Model& model, const Model* against, const BenchRequest& request);

/// What executes here: "AVX2 on Intel(R) Xeon(R) …, 2 threads".
std::string machine();

/// The most memory that this process has had so far, in bytes.
std::uint64_t peak_rss();

}  // namespace anemone::toolchain
