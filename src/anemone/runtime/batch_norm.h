#pragma once
// A batch norm of known numbers is an affine map of its channels.
#include "anemone/runtime/planner.h"

namespace anemone::runtime {

/// y = scale[c] * x + shift[c].
struct ChannelAffine {
  FloatBuffer scale, shift;  ///< [channels]
};
Result<ChannelAffine> affine_of(const Node& batch_norm, const Planner& planner);

}  // namespace anemone::runtime
