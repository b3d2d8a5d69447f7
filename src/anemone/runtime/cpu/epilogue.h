#pragma once
// What a convolution or matrix product does to its sums before it stores them.
#include <cstdint>

namespace anemone::cpu {

enum class Activation : std::uint8_t {
  none,
  relu,        ///< x < 0 ? 0 : x
  leaky_relu,  ///< x < 0 ? alpha * x : x
  clip,        ///< min(max(x, alpha), beta)
};

/// out = activation(sum + bias + add). With round_half every step is rounded as if it were an op of its own:
/// sum + bias, then + add, then the activation.
struct Epilogue {
  const float* add = nullptr;  ///< laid out like the output, and may be the output itself; nullptr = none
  Activation activation = Activation::none;
  float alpha = 0, beta = 0;
  bool round_half = false;
};

/// What a convolution does to its input while it reads it: x = scale[c] * x + shift[c], then relu. Padding stays 0.
struct Prologue {
  const float* scale = nullptr;  ///< [in_channels]; nullptr = no prologue
  const float* shift = nullptr;  ///< [in_channels]
  bool relu = false;
};

}  // namespace anemone::cpu
