#pragma once
// Writes a state dict as torch.save of PyTorch 1.13 does, byte for byte: torch.load reads it, and so do we.
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "anemone/formats/wire/scalar_type.h"
#include "anemone/support/bytes.h"
#include "anemone/support/result.h"

namespace anemone::formats {

struct CheckpointEntry {
  using Sink = std::function<Result<void>(std::span<const std::byte>)>;

  std::string name;  ///< key in the state dict: "conv.weight"
  ScalarType dtype = ScalarType::float32;
  std::vector<std::int64_t> shape;
  /// Gives the elements, row-major and little-endian, to the sink in pieces of any size. Called once.
  std::function<Result<void>(const Sink&)> produce;
  /// Instead of `produce`: the elements at hand.
  Bytes data;
};

/// A zip (stored, root "archive", storages aligned to 64 bytes) of {part: OrderedDict}, or of the OrderedDict itself
/// when `part` is empty. Holds no more than the largest piece in memory; equal entries give equal bytes. The target
/// appears complete or not at all. E0550 for entries that cannot be written, E0551 for more than 4 GiB (zip64 is not
/// written).
Result<void> write_checkpoint(const std::filesystem::path& path, std::span<const CheckpointEntry> entries,
                              std::string_view part = "net");

}  // namespace anemone::formats
