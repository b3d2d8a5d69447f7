#pragma once
// Which operation of a candidate makes the difference: values inside two programs, side by side.
#include <string>
#include <utility>
#include <vector>

#include "anemone/support/result.h"
#include "anemone/toolchain/verify_causes.h"
#include "anemone/toolchain/verify_result.h"

namespace anemone::toolchain {

/// All values that both programs have (shared_values), on one input: how far the candidate's are off, and how much of
/// it each operation adds by itself. For that the candidate's program is cut at every shared value and the pieces are
/// fed the reference's numbers, rounded as the candidate holds them; operations without a counterpart (casts, parts of
/// something fused) belong to the piece in which they stand. An operation jumps when it adds more than ten times what
/// the median operation adds or a tenth of the range, more than rounding explains. A value that stands out is
/// undone where the operations that use it, taken together with it, are right: a pass took a bias away in front of an
/// instance_norm, which changes that value and nothing else. Both programs run again, some values at a time, so that
/// memory stays bounded.
Result<Layers> compare_layers(const Comparison& comparison);

/// The arrays of one such value.
struct LayerArrays {
  Array candidate, local, reference;                    ///< local: the operation alone, fed the reference's numbers
  std::vector<std::pair<std::string, Array>> operands;  ///< those numbers
};
Result<LayerArrays> layer_arrays(const Comparison& comparison, const std::string& name);

}  // namespace anemone::toolchain
