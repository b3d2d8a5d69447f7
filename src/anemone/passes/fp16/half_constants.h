#pragma once
// Constants on their way to fp16.
#include <cstddef>
#include <cstdint>
#include <span>

#include "anemone/ir/constant.h"

namespace anemone::passes {

/// Whether none of the values becomes infinite in fp16; NaN and what is infinite already are not asked.
bool fit_half(std::span<const float> values);

/// The constant rounded to fp16; null when a finite value would overflow (then the operation that uses it stays fp32). Of
/// one whose file is missing, the type is all that there is to change.
/// Beyond 1e38, where only "minus infinity" masks live, values are clipped to ±65504. In small tensors (fewer than 400
/// elements: epsilons, clamps) a non-zero value that would round to zero becomes the smallest subnormal.
ConstantPtr to_half(const Constant& constant);

/// The same for a part of a constant of `whole` elements that fit_half(); `part` is scratch.
void to_halves(std::span<float> part, std::size_t whole, std::uint16_t* halves);

}  // namespace anemone::passes
