#pragma once
// The verb `analyze`: what a network is, from any input.
#include <optional>
#include <string>

#include "anemone/support/result.h"
#include "anemone/toolchain/analysis.h"
#include "anemone/toolchain/convert.h"

namespace anemone::toolchain {

struct AnalyzeRequest {
  std::string device = "m1";                  ///< whose engine is asked
  std::optional<PackagePrecision> precision;  ///< of the package that the engine is asked about, as for plan
  bool weights = false;                       ///< read the numbers whatever their size
  std::int64_t scan_limit = std::int64_t{256}
                            << 20;  ///< bytes of weights up to which they are read without being asked
};

/// Of a checkpoint whose network is not known (LoadOptions::program_needed) its tensors are described. Memory stays
/// bounded: weights are read in blocks of 1 MB, and not at all above the limit.
Result<Analysis> analyze(const Model& model, const AnalyzeRequest& request = {});

}  // namespace anemone::toolchain
