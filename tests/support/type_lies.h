#pragma once
// Lies about types of a Core ML model, and constants that agree with them; the first half of tests/support/lies.h.
#include <array>
#include <cstdint>
#include <random>
#include <vector>

#include "anemone/formats/coreml/spec.h"

namespace anemone::test {

namespace milspec = formats::milspec;

class TypeLiar {
 protected:
  using Dimension = milspec::Dimension;
  using Value = milspec::Value;
  using ValueType = milspec::ValueType;
  static constexpr std::size_t kLargestLiteral = 1 << 16;

  explicit TypeLiar(std::uint64_t seed) : random_(seed) {}

  std::size_t below(std::size_t limit) { return limit < 2 ? 0 : random_() % limit; }
  bool heads() { return below(2) != 0; }
  template <class T>
  T& one_of(std::vector<T>& from) {
    return from[below(from.size())];
  }

  std::uint64_t number(std::uint64_t was) {
    const std::array<std::uint64_t, 18> numbers{
        0,           1,   2,          3,          5,          16,         1000,  (1u << 24) + 1, 0x7fffffff,
        0x80000000u, ~0u, 1ull << 33, 1ull << 62, ~0ull >> 1, 1ull << 63, ~0ull, was + 1,        was - 1};
    return numbers[below(numbers.size())];
  }

  static milspec::TensorType& tensor(ValueType& type) {
    ValueType* at = &type;
    while (at->kind != ValueType::Kind::tensor && !at->parts.empty()) at = &at->parts[0];
    return at->tensor;
  }
  void dtype(ValueType& type) {
    constexpr std::array kinds{milspec::DataType::boolean, milspec::DataType::string,       milspec::DataType::float16,
                               milspec::DataType::float32, milspec::DataType::float64,      milspec::DataType::bfloat16,
                               milspec::DataType::int8,    milspec::DataType::int16,        milspec::DataType::int32,
                               milspec::DataType::int64,   milspec::DataType::int4,         milspec::DataType::uint8,
                               milspec::DataType::uint16,  milspec::DataType::uint32,       milspec::DataType::uint1,
                               milspec::DataType::uint3,   milspec::DataType::float8_e4m3fn};
    tensor(type).dtype = kinds[below(kinds.size())];
  }
  void extent(ValueType& type) {
    auto& dims = tensor(type).dims;
    if (dims.empty()) return rank(type);
    Dimension& dim = one_of(dims);
    dim = below(6) == 0 ? Dimension{{}, heads()} : Dimension{number(dim.size.value_or(1)), false};
  }
  void rank(ValueType& type) {
    auto& dims = tensor(type).dims;
    const std::size_t what = below(4);
    if (what == 0) {
      tensor(type).unknown_rank = true;
      dims.clear();
    } else if (what == 1 && !dims.empty()) {
      dims.erase(dims.begin() + static_cast<std::ptrdiff_t>(below(dims.size())));
    } else if (what == 2) {
      dims.insert(dims.begin() + static_cast<std::ptrdiff_t>(below(dims.size() + 1)), Dimension{1, false});
    } else {
      dims.resize(below(8), Dimension{1, false});
    }
  }
  void kind(ValueType& type) {
    const ValueType inner = type;
    switch (below(4)) {
      case 0:
        type = {ValueType::Kind::list, {}, {inner}, {number(1), false}};
        break;
      case 1:
        type = {ValueType::Kind::tuple, {}, {inner, inner}, {}};
        break;
      case 2:
        type = {ValueType::Kind::dictionary, {}, {inner, inner}, {}};
        break;
      case 3:
        type = {ValueType::Kind::state, {}, {inner}, {}};
        break;
    }
  }

  /// As many elements as the type says, where that can be held.
  static void fill(Value& value) {
    std::uint64_t count = 1;
    for (const Dimension& dim : value.type.tensor.dims) {
      const std::uint64_t extent = dim.size.value_or(1);
      count = extent > kLargestLiteral || count > kLargestLiteral ? kLargestLiteral + 1 : count * extent;
    }
    if (count > kLargestLiteral) return;
    if (value.type.tensor.dtype == milspec::DataType::string) {
      value.data = {};
      return value.strings.resize(count, "word");
    }
    value.strings.clear();
    std::vector<std::byte> data(value.data.view.begin(), value.data.view.end());
    data.resize(milspec::packed_size(value.type.tensor.dtype, count).value_or(0), std::byte{1});
    if (value.type.tensor.dtype == milspec::DataType::boolean) {
      for (std::byte& byte : data) byte &= std::byte{1};
    }
    value.data = Bytes::owned(std::move(data));
  }

 private:
  std::mt19937_64 random_;
};

}  // namespace anemone::test
