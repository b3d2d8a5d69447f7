// Views of storages become constants: shared where the bytes are already right, converted once where they are not.
#include "anemone/frontends/torch/state_dict.h"

#include <fmt/format.h>

#include <bit>
#include <cstring>

#include "anemone/formats/wire/strided.h"
#include "anemone/support/half.h"

namespace anemone::torch {
namespace {

using formats::ScalarType;

template <class From, class Convert>
Bytes converted(std::span<const std::byte> packed, Convert&& convert) {
  const std::size_t count = packed.size() / sizeof(From);
  std::vector<std::byte> out(count * sizeof(float));
  for (std::size_t i = 0; i < count; ++i) {
    From from;
    std::memcpy(&from, packed.data() + i * sizeof(From), sizeof(From));
    const float to = convert(from);
    std::memcpy(out.data() + i * sizeof(float), &to, sizeof(float));
  }
  return Bytes::owned(std::move(out));
}

bool is_aligned(const std::byte* address) { return std::bit_cast<std::uintptr_t>(address) % alignof(float) == 0; }

}  // namespace

Result<ConstantPtr> float32_constant(const formats::StateDict& state, std::string_view key) {
  const formats::StoredTensor* tensor = state.find(key);
  if (!tensor)
    return bad_input(ErrorCode::tensor_missing, fmt::format("the state dict has no tensor '{}'", key), place_of(state));
  const Type type = Type::tensor(DType::fp32, tensor->shape);
  switch (tensor->dtype) {
    case ScalarType::float32: {
      Bytes packed = elements(*tensor);
      // Storages of the legacy container may begin anywhere; constants are read as floats and must be aligned.
      if (!is_aligned(packed.data())) packed = Bytes::copy_of(packed.view);
      return make_constant(type, std::move(packed));
    }
    case ScalarType::float16:
      return make_constant(type, converted<std::uint16_t>(elements(*tensor).view,
                                                          [](std::uint16_t half) { return float_from_half(half); }));
    case ScalarType::bfloat16:
      return make_constant(type, converted<std::uint16_t>(elements(*tensor).view, [](std::uint16_t brain) {
                             return std::bit_cast<float>(static_cast<std::uint32_t>(brain) << 16);
                           }));
    case ScalarType::float64:
      return make_constant(
          type, converted<double>(elements(*tensor).view, [](double number) { return static_cast<float>(number); }));
    default:
      return bad_input(ErrorCode::tensor_not_float,
                       fmt::format("tensor '{}' holds {}, expected floating-point numbers", key, name(tensor->dtype)),
                       place_of(state), "floating point means float16, bfloat16, float32 or float64");
  }
}

Result<void> append(formats::StateDict& state, std::string key, ScalarType dtype, Dims shape, Bytes data) {
  const auto count = element_count(shape);
  const std::size_t element = byte_size(dtype);
  if (!count || data.size() % element != 0 || static_cast<std::int64_t>(data.size() / element) != *count) {
    return bad_input(
        ErrorCode::tensor_bytes,
        fmt::format("tensor '{}' has {} bytes, which is not {} of {}", key, data.size(), brief(shape), name(dtype)),
        place_of(state));
  }
  if (!state.index.emplace(key, state.tensors.size()).second) {
    return bad_input(ErrorCode::key_twice, fmt::format("the state dict has the key '{}' twice", key), place_of(state));
  }
  formats::StoredTensor& tensor = state.tensors.emplace_back();
  tensor.storage_key = key;
  tensor.path = std::move(key);
  tensor.dtype = dtype;
  tensor.stride = formats::contiguous_strides(shape);
  tensor.shape = std::move(shape);
  tensor.storage = std::move(data);
  return {};
}

std::string place_of(const formats::StateDict& state) {
  if (state.part.empty()) return state.file;
  return state.file.empty() ? fmt::format("'{}'", state.part) : fmt::format("{}: '{}'", state.file, state.part);
}

}  // namespace anemone::torch
