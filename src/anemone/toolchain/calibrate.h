#pragma once
// How far the numbers of a network reach on real inputs, and what fp16 would do to them.
#include <span>
#include <string>
#include <vector>

#include "anemone/support/result.h"
#include "anemone/toolchain/inputs.h"
#include "anemone/toolchain/model.h"

namespace anemone::toolchain {

/// One value, over all inputs of a calibration.
struct ValueRange {
  std::string name, type;  ///< of the value; of the operation that makes it
  double min = 0, max = 0;
  double p999 = 0;         ///< a thousandth of the magnitudes is larger: the largest such number of an input
  double subnormal = 0;    ///< share of the numbers below fp16's normal range (6.1e-5) that are not zero
  bool overflows = false;  ///< a number is beyond fp16's largest, 65504, or not finite
  double largest() const { return -min > max ? -min : max; }
};

/// Executes the program in fp32 on each input and looks at every value that is made: floats of fixed extents outside of
/// inner blocks. Some values at a time, so that memory stays bounded; p999 costs a partial sort of each value.
Result<std::vector<ValueRange>> value_ranges(const Model& model, std::span<const InputFile> inputs, int threads);

/// The pictures of a folder, at the size of the model's input; without a folder, the seeded ones.
Result<std::vector<InputFile>> calibration_inputs(const Model& model, const std::string& folder);

/// Why the operation that makes this value should compute in fp32: it overflows, or all of it lies below the normal range. Empty: it
/// need not.
std::string damage(const ValueRange& range);

}  // namespace anemone::toolchain
