#pragma once
// Convolutions that look at one position at a time: matrices, which may be multiplied.
#include <vector>

#include "anemone/ir/graph.h"

namespace anemone::passes {

/// Its weight and bias are plain floats.
bool has_plain_weights(const Node& conv);

/// No position outside of its input is ever looked at: padding would be zeros, which nothing may be folded into.
bool is_unpadded(const Node& conv);

/// A `conv` of one group, kernel 1, stride 1, without padding, whose weights are plain floats.
bool is_pointwise(const Node& node);

/// Of rows of equal length, one after the other.
using Matrix = std::vector<double>;
/// `count` of its columns.
Matrix columns(const Matrix& m, std::size_t rows, std::size_t first, std::size_t count);
Matrix side_by_side(const std::vector<Matrix>& parts, std::size_t rows);
/// Of a [rows, inner] and b [inner, …].
Matrix product(const Matrix& a, const Matrix& b, std::size_t rows, std::size_t inner);

}  // namespace anemone::passes
