#pragma once
// The verb `analyze`: what a network is, from any input.
#include <filesystem>
#include <optional>
#include <string>

#include "anemone/support/result.h"
#include "anemone/toolchain/analysis.h"

namespace anemone {

struct AnalyzeRequest {
  std::optional<std::string> network;  ///< of a checkpoint
  std::string device = "m1";           ///< whose engine is asked
  bool weights = false;                ///< read the numbers whatever their size
  std::int64_t scan_limit = std::int64_t{256}
                            << 20;  ///< bytes of weights up to which they are read without being asked
};

/// Errors are those of loading; a checkpoint of an unknown network is an answer, not an error. Memory stays bounded:
/// weights are read in blocks of 1 MB, and not at all above the limit.
Result<Analysis> analyze(const std::filesystem::path& model, const AnalyzeRequest& request = {});

}  // namespace anemone
