#pragma once
// y·scale + shift, one of each a channel: what it is read from, and how it becomes part of a convolution.
#include <optional>
#include <string>
#include <vector>

#include "anemone/ir/graph.h"

namespace anemone::passes {

struct Affine {
  std::vector<double> scale, shift;  ///< one a channel of the convolution's result
};

/// An add, sub, mul or real_div of a value [N, C, …] and a plain constant that is a number, or one a channel.
struct AffineStep {
  Value* x;
  Affine affine;
};
std::optional<AffineStep> affine_step(const Node& node);

/// A batch norm of that many channels, if its statistics are plain constants.
std::optional<Affine> affine_of_norm(const Node& norm, std::int64_t channels);

/// The convolution that makes the value, if its weights are plain constants, nobody else reads it, and it stands in the
/// block of the reader; else null, and `why` says which of these it was (empty: no convolution).
Node* foldable_conv(Value* value, const Node& reader, std::string& why);

/// Channels of its result.
std::int64_t channels_of(const Node& conv);

/// The convolution computes what comes after it, too: `after`, the node that did, is replaced by its result, which takes
/// its name. Computed in double and rounded once.
void fold_into_conv(Node& conv, const Affine& affine, Node& after);

}  // namespace anemone::passes
