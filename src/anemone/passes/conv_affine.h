#pragma once
// y·scale + shift after a convolution, as part of its weights and bias.
#include <vector>

#include "anemone/ir/graph.h"

namespace anemone::passes {

struct Affine {
  std::vector<double> scale, shift;  ///< one a channel of the convolution's result
};

/// The convolution that makes the value, if its weights are plain constants, nobody else reads it, and it stands in the
/// block of the reader; else null, and `why` says which of these it was (empty: no convolution).
Node* foldable_conv(Value* value, const Node& reader, std::string& why);

/// Channels of its result.
std::int64_t channels_of(const Node& conv);

/// The convolution computes what comes after it, too: `after`, the node that did, is replaced by its result, which takes
/// its name. Computed in double and rounded once.
void fold_into_conv(Node& conv, const Affine& affine, Node& after);

}  // namespace anemone::passes
