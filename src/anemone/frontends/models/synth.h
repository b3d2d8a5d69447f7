#pragma once
// Synthetic STAR checkpoints: the exact keys, shapes and order of a trained one, with numbers that anyone can make
// again from the keys alone. For tests, benchmarks and trials where the trained weights are not to be had.
#include <filesystem>
#include <functional>
#include <optional>

#include "anemone/frontends/models/star_keys.h"

namespace anemone::models {

struct SynthTensor {
  std::string key;
  formats::ScalarType dtype = formats::ScalarType::float32;  ///< int64 for num_batches_tracked
  Dims shape;
  std::function<Bytes()> make;  ///< the numbers, packed, row-major, little-endian; made anew at each call
};

enum class SynthWeights : std::uint8_t {
  hash,    ///< every number from the key of its tensor and its index: activations stay moderate, landmarks spread
  random,  ///< as PyTorch initialises layers (uniform, ±1/sqrt(fan-in); batch norms neutral), from a seed
};

struct SynthOptions {
  std::int64_t points = 98;  ///< 98, 68 or 29: those whose edges are known
  std::int64_t stacks = 4;
  SynthWeights weights = SynthWeights::hash;
  std::uint64_t seed = 0;                      ///< of `random`
  std::optional<std::filesystem::path> heads;  ///< folder of KEY.npy files that replace tensors
};

/// The tensors in the order of the file. E0620: points or stacks out of range; E0621: a file among the heads that is
/// not a tensor of the network, or not of its shape.
Result<std::vector<SynthTensor>> synth_star(const SynthOptions& options = {});

/// The same for a network of any shape, for tests with small ones; options.points and .stacks are not looked at. Edges
/// are those of the labelling scheme where points and edges match one, else point p lies on edge p mod (edges + 1), and
/// on none where that is `edges`.
Result<std::vector<SynthTensor>> synth_star(const StarShape& shape, const SynthOptions& options);

/// With all numbers made, as if read from a file.
Result<formats::StateDict> to_state_dict(const std::vector<SynthTensor>& tensors, std::string name = "synthetic star");

/// Trained numbers of the network: 17,177,332 for 98 points.
std::int64_t parameter_count(const KeySpecs& specs);

}  // namespace anemone::models
