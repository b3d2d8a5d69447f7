// One stream of numbers over all inputs, so that a seed names them all.
#include "anemone/ops/random_inputs.h"

#include <fmt/format.h>

#include <cmath>

namespace anemone::ops {

Result<std::vector<Array>> random_inputs(const Function& function, std::uint64_t seed) {
  std::vector<Array> inputs;
  std::uint64_t state = seed * 0x9e3779b97f4a7c15ull + 1;
  const auto next = [&] {  // splitmix64
    std::uint64_t z = state += 0x9e3779b97f4a7c15ull;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1p-53;  // [0, 1)
  };
  for (const auto& input : function.body.inputs) {
    const Type& type = input->type.tensor_part();
    const auto count = type.is_fixed() ? element_count(type.dims) : std::nullopt;
    if (!count) {
      return bad_input(ErrorCode::no_random_values,
                       fmt::format("input '{}' has the type {}, for which no random values can be made", input->name,
                                   brief(input->type)));
    }
    if (input->type.kind == Type::Kind::state) {
      inputs.push_back({type.dtype, type.dims, std::vector<double>(static_cast<std::size_t>(*count))});
      continue;
    }
    const Feature* feature = function.interface.input(input->name);
    const bool image = feature && feature->kind == Feature::Kind::image;
    Array array{type.dtype, type.dims, std::vector<double>(static_cast<std::size_t>(*count))};
    for (double& v : array.data) {
      const double u = next();
      v = image                          ? std::floor(u * 256)
          : is_float(type.dtype)         ? 2 * u - 1
          : type.dtype == DType::boolean ? std::floor(u * 2)
                                         : std::floor(u * 4);
    }
    round_to_dtype(array);
    inputs.push_back(std::move(array));
  }
  return inputs;
}

}  // namespace anemone::ops
