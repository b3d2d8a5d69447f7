#pragma once
// The verbs that execute: run, verify, bench.
#include <filesystem>
#include <string>
#include <vector>

#include "anemone/support/result.h"
#include "anemone/toolchain/results.h"
#include "anemone/toolchain/session.h"

namespace anemone {

/// Executes once and writes each output as `NAME.npy` into `folder` (made if needed); a repeated name becomes NAME-1.
Result<RunResult> run(const std::filesystem::path& model, const std::vector<std::string>& inputs,
                      const std::filesystem::path& folder, const SessionOptions& options);

struct VerifyRequest {
  std::vector<std::string> inputs;  ///< empty: seeded random and structured images or tensors
  SessionOptions session;           ///< precision applies to the candidate
  std::uint64_t seed = 1;
  /// Limits; the defaults are half of what a network's own error usually is, see docs/how-to/verify.md.
  double max_mean_px = 0.15, max_px = 1.0, min_psnr_db = 40;
};
Result<VerifyResult> verify_models(const std::filesystem::path& candidate, const std::filesystem::path& reference,
                                   const VerifyRequest& request);

struct BenchRequest {
  std::optional<std::filesystem::path> against;
  std::size_t runs = 20, warm_up = 3;
  SessionOptions session;
};
Result<BenchResult> bench(const std::filesystem::path& model, const BenchRequest& request);

}  // namespace anemone
