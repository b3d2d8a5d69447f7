#pragma once
// The pickle of a state dict, byte for byte as torch.save of PyTorch 1.13 writes it.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "anemone/formats/wire/scalar_type.h"

namespace anemone::formats {

struct PickledTensor {
  std::string_view name;
  ScalarType dtype;
  std::span<const std::int64_t> shape;
};

/// The class of a storage of this type ("FloatStorage"), or "" when PyTorch has none.
std::string_view storage_class(ScalarType dtype);

/// {part: OrderedDict of tensors}, or the OrderedDict alone when `part` is empty. Tensor i is contiguous and owns
/// storage "i" on the CPU. Protocol 2.
std::vector<std::byte> pickle_state_dict(std::span<const PickledTensor> tensors, std::string_view part);

}  // namespace anemone::formats
