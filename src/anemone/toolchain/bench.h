#pragma once
// The verb `bench`: latency and memory on this machine's CPU.
#include <cstddef>
#include <cstdint>
#include <string>

#include "anemone/support/result.h"
#include "anemone/toolchain/results.h"
#include "anemone/toolchain/session.h"

namespace anemone::toolchain {

struct BenchRequest {
  std::size_t runs = 20, warm_up = 3;
  SessionOptions session;
};
/// `against` may be null; otherwise both run in turn.
Result<BenchResult> bench(const Model& model, const Model* against, const BenchRequest& request);

/// What executes here: "AVX2 on Intel(R) Xeon(R) …, 2 threads".
std::string machine();

/// The most memory that this process has had so far, in bytes.
std::uint64_t peak_rss();

}  // namespace anemone::toolchain
