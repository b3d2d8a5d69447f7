// The rules follow coremltools' fp16 conversion, so that both give the same weights.
#include "anemone/passes/fp16/half_constants.h"

#include <algorithm>
#include <cmath>

#include "anemone/support/half.h"
#include "anemone/support/mapping.h"

namespace anemone::passes {
namespace {

constexpr float kLargestHalf = 65504, kMask = 1e38f;
constexpr std::size_t kSmallTensor = 400;

float kept_from_zero(float value) {
  return value != 0 && round_to_half(value) == 0 ? std::copysign(0x1p-24f, value) : value;
}

}  // namespace

// Checked without branches, so that it runs at memory speed.
bool fit_half(std::span<const float> values) {
  float largest = 0;
  for (float v : values) largest = std::max(largest, std::fabs(v));  // NaN compares false and is left alone
  return largest < 65520.0f;                                         // rounds to 65504 or less
}

void to_halves(std::span<float> part, std::size_t whole, std::uint16_t* halves) {
  if (whole < kSmallTensor) std::transform(part.begin(), part.end(), part.begin(), kept_from_zero);
  half_from_float(part, halves);
}

ConstantPtr to_half(const Constant& constant) {
  if (!constant.missing.empty()) {
    auto hollow = std::make_shared<Constant>(constant);
    hollow->type.dtype = DType::fp16;
    return hollow;
  }
  std::vector<float> storage;
  std::span<const float> values = elements_as<float>(constant);
  const bool small = values.size() < kSmallTensor;
  if (small || !fit_half(values)) {
    storage.assign(values.begin(), values.end());
    for (float& v : storage) {
      if (std::fabs(v) >= kMask && std::isfinite(v)) v = std::copysign(kLargestHalf, v);
      if (std::isfinite(v) && std::fabs(v) >= 65520.0f) return nullptr;
      if (small) v = kept_from_zero(v);
    }
    values = storage;
  }
  ConstantPtr half = make_constant(DType::fp16, constant.type.dims, values);
  rest_mappings_after(constant.data.size());  // nobody reads the wide ones again
  return half;
}

}  // namespace anemone::passes
