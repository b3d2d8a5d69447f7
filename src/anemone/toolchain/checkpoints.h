#pragma once
// Checkpoints as such: listing any of them, making a synthetic one.
#include <filesystem>
#include <optional>
#include <string>

#include "anemone/support/result.h"
#include "anemone/toolchain/results.h"

namespace anemone::toolchain {

/// Every tensor of any checkpoint whose path holds `part`, with the hash of its elements in row-major order. No such
/// tensor is wrong usage.
Result<CheckpointListing> list_checkpoint(const std::filesystem::path& path, const std::string& part = {});

struct SynthRequest {
  std::int64_t points = 98;
  bool random = false;  ///< else the hash weights
  std::uint64_t seed = 0;
  std::optional<std::filesystem::path> heads;
};
Result<SynthResult> synth_star_checkpoint(const std::filesystem::path& output, const SynthRequest& request);

}  // namespace anemone::toolchain
