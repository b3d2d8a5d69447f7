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

struct BenchRequest {
  std::size_t runs = 20, warm_up = 3;
  SessionOptions session;
};
struct BenchSide {
  std::string model;
  double median_ms = 0, p90_ms = 0, p99_ms = 0, min_ms = 0, load_ms = 0;
  std::vector<double> runs_ms;
  std::int64_t macs = 0;
  std::vector<std::pair<std::string, double>> by_type;  ///< operation type and ms of the last run, slowest first
};
struct BenchResult {
  BenchSide model;
  std::optional<BenchSide> against;
  std::optional<double> ratio;  ///< model / against, median over interleaved pairs
  std::size_t runs = 0;
  std::uint64_t peak_rss_bytes = 0;
  int threads = 0;
  std::string cpu, isa, precision;
};

/// `against` may be null; otherwise both run in turn.
Result<BenchResult> bench(const Model& model, const Model* against, const BenchRequest& request);

/// What executes here: "AVX2 on Intel(R) Xeon(R) …, 2 threads".
std::string machine();

/// The most memory that this process has had so far, in bytes.
std::uint64_t peak_rss();

}  // namespace anemone::toolchain
