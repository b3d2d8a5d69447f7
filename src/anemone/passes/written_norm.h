#pragma once
// Words for norms that are written out: squares, divisions by roots, variances; and the operation that does it whole.
#include <optional>

#include "anemone/ir/builder.h"
#include "anemone/ir/graph.h"

namespace anemone::passes {

/// The axes of a reduction, from 0, ascending.
Dims reduced_axes(const Node& reduction);

/// What the value is the square of, or null.
Value* square_of(const Value* value);

/// x / √(radicand + epsilon), by a root or its reciprocal, which may be powers; rsqrt adds an epsilon of its own.
struct OverRoot {
  Value *x, *radicand;
  double epsilon;
};
std::optional<OverRoot> over_root(const Node& node);

/// A mean that keeps its dimensions, along axes that are known; null for anything else.
const Node* mean(const Value* value);

/// What a norm takes of x before gamma and beta come.
struct Norm {
  Value* x = nullptr;
  Dims axes;  ///< from 0, ascending
  double epsilon = 0;

  /// Along the last axes, and of known extents.
  bool is_regular() const;
  /// A mean for each channel of each sample of [N, C, …].
  bool is_of_image() const;
};

/// The norm's deviation: x - mean(x); null for anything else, and `axes` of the mean.
Value* centred(const Value* value, Dims& axes);
/// mean((x - mean(x))²) + epsilon, or mean(x²) - mean(x)² + epsilon, along the norm's axes; it adds to the norm's epsilon.
bool is_variance(const Value* value, Norm& norm);

/// The constant as gamma or beta of a regular norm, or null where it has other extents.
ConstantPtr norm_parameter(const Norm& norm, const Value* constant);
/// instance_norm or layer_norm of a regular norm; gamma and beta may be null.
Value* add_norm(Builder& builder, const Norm& norm, const ConstantPtr& gamma, const ConstantPtr& beta);

}  // namespace anemone::passes
