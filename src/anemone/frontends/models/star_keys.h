#pragma once
// The parameters that tell one STAR network (StackedHGNetV1) from another, and the state dict that follows from them.
#include <optional>

#include "anemone/frontends/models/keys.h"

namespace anemone::models {

/// Everything a STAR state dict does not have in common with the others. The public ones have 4 stacks, 256 channels,
/// depth 4 and 98 points on 9 edges (WFLW), 68 on 9 (300W) or 29 on 7 (COFW).
struct StarShape {
  std::int64_t points = 98, edges = 9, stacks = 4;
  std::int64_t channels = 256;  ///< of the feature maps; a multiple of 4
  std::int64_t depth = 4;       ///< of each hourglass: how often it halves the map
  /// Input sizes are multiples of this: two halvings in the stem, `depth` in the hourglasses.
  std::int64_t size_step() const { return std::int64_t{4} << depth; }
  bool operator==(const StarShape&) const = default;
};

/// The keys in the order of the file: 1450 for four stacks of depth 4.
KeySpecs star_keys(const StarShape& shape);

/// Reads the parameters off the tensors; what cannot be read (a tensor is missing) keeps the public network's value, so
/// that the comparison of the keys can say what is wrong.
StarShape star_shape(const formats::StateDict& state);

/// Which points lie on which edge, row-major [points, edges] of 0 and 1: the labelling schemes of WFLW (98 points),
/// 300W (68) and COFW (29). Nothing for other numbers.
std::optional<std::vector<float>> star_edge_matrix(std::int64_t points);
/// 9, 9 and 7 for those; nothing for other numbers.
std::optional<std::int64_t> star_edges(std::int64_t points);

}  // namespace anemone::models
