#pragma once
// What a network expects of a state dict, tensor by tensor, and the comparison with what the file holds.
#include <string>
#include <vector>

#include "anemone/frontends/torch/state_dict.h"

namespace anemone::models {

enum class KeyRole : std::uint8_t {
  parameter,  ///< trained and used
  dead,       ///< trained, but of a module that never runs; may be missing
  buffer,     ///< used, not trained: running statistics, fixed matrices
  counter,    ///< num_batches_tracked, an int64 scalar: unused; may be missing
};
struct KeySpec {
  std::string key;
  Dims shape;
  KeyRole role = KeyRole::parameter;
  bool is_needed() const { return role == KeyRole::parameter || role == KeyRole::buffer; }
};
using KeySpecs = std::vector<KeySpec>;

/// Appends `path.weight` (shape) and, if wanted, `path.bias` (shape[0]), as PyTorch's Conv2d registers them.
void add_conv(KeySpecs& specs, const std::string& path, Dims shape, bool bias, KeyRole role = KeyRole::parameter);
/// Appends the five entries of a BatchNorm2d.
void add_batch_norm(KeySpecs& specs, const std::string& path, std::int64_t channels);

struct KeyReport {
  std::vector<std::string> used;
  std::vector<std::string> unused_known;  ///< dead and counter entries that are in the file
  struct {
    std::int64_t total = 0, live = 0, dead = 0;  ///< numbers in the file's trained tensors; buffers are not counted
  } parameters;
  std::vector<std::string> dead_modules;  ///< paths: "pre.3.skip_layer"
};

/// E0605 names missing keys, E0606 keys that do not belong to `network`, E0607 wrong shapes (up to ten of each kind).
Result<KeyReport> check_keys(const formats::StateDict& state, const KeySpecs& specs, std::string_view network);

/// How many of the specs' keys the state dict has.
std::size_t count_present(const formats::StateDict& state, const KeySpecs& specs);

}  // namespace anemone::models
