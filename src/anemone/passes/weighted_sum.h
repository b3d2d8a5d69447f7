#pragma once
// Sums over a map, plain ones and ones that are weighted by constants, as columns of a matrix product.
#include <optional>
#include <vector>

#include "anemone/ir/builder.h"
#include "anemone/ir/graph.h"

namespace anemone::passes {

/// reduce_sum(x, axes=[2, 3]) or reduce_sum(mul(x, g), axes=[2, 3]) of x [N, C, H, W], with g a plain constant that is the
/// same for each n and c.
struct WeightedSum {
  Node* reduction;
  Value* x;
  std::vector<double> weights;  ///< one a position
};
std::optional<WeightedSum> weighted_sum(Node& node);

/// All of them, of one x: [N, C, number of sums].
Value* as_matrix_product(Builder& builder, const std::vector<WeightedSum>& sums);

/// Some of the last axis of what as_matrix_product made; without that axis where it would be one and `squeeze`.
Value* columns(Builder& builder, Value* product, std::int64_t first, std::int64_t count, bool squeeze);

}  // namespace anemone::passes
