// The numbers of a batch norm, put together in double.
#include "anemone/runtime/batch_norm.h"

#include "anemone/runtime/cpu/norm.h"

namespace anemone::runtime {

Result<ChannelAffine> affine_of(const Node& batch_norm, const Planner& planner) {
  TRY(const std::vector<float> mean, planner.known_floats(batch_norm.input("mean")));
  TRY(const std::vector<float> variance, planner.known_floats(batch_norm.input("variance")));
  TRY(const std::vector<float> gamma, planner.known_floats(batch_norm.input("gamma")));
  TRY(const std::vector<float> beta, planner.known_floats(batch_norm.input("beta")));
  ChannelAffine affine{FloatBuffer(mean.size()), FloatBuffer(mean.size())};
  const auto epsilon = static_cast<float>(ConstantView(batch_norm).number("epsilon"));
  cpu::batch_norm_affine(static_cast<std::int64_t>(mean.size()), mean.data(), variance.data(),
                         gamma.empty() ? nullptr : gamma.data(), beta.empty() ? nullptr : beta.data(), epsilon,
                         affine.scale.data(), affine.shift.data());
  return affine;
}

}  // namespace anemone::runtime
