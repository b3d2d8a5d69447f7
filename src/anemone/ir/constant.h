#pragma once
// A compile-time value: an immutable payload that nodes, passes and writers share and never copy.
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "anemone/ir/type.h"
#include "anemone/support/bytes.h"

namespace anemone {

struct Constant {
  Type type;
  Bytes data;                        ///< tensors: packed little-endian, row-major; bool one byte; sub-byte LSB first
  std::vector<std::string> strings;  ///< tensors of strings
  std::vector<Constant> elements;    ///< lists and tuples: their elements; dictionaries: key, value, key, value …
  std::string missing;               ///< not empty: the payload should be in this file, which is not there

  bool is_string() const { return type.is_tensor() && type.dtype == DType::string; }
  std::int64_t count() const { return element_count(type.dims).value_or(0); }
};
using ConstantPtr = std::shared_ptr<const Constant>;

// Makers. Values are converted to the dtype (fp16 rounds to nearest even); the count must match the dims.
ConstantPtr make_constant(Type type, Bytes data);
ConstantPtr make_constant(DType dtype, Dims dims, std::span<const double> values);
ConstantPtr make_constant(DType dtype, Dims dims, std::span<const float> values);
ConstantPtr make_scalar(DType dtype, double value);
ConstantPtr make_text(std::string text);                      ///< a string scalar
ConstantPtr make_ints(std::span<const std::int64_t> values);  ///< int32 vector
inline ConstantPtr make_ints(std::initializer_list<std::int64_t> v) {
  return make_ints(std::span(v.begin(), v.size()));
}
ConstantPtr make_bools(const std::vector<bool>& values);  ///< bool vector

// Readers. Numbers of any dtype; empty when the payload is missing or not numeric.
std::vector<double> to_doubles(const Constant& constant);
std::vector<float> to_floats(const Constant& constant);
std::vector<std::int64_t> to_ints(const Constant& constant);
double scalar(const Constant& constant, std::int64_t index = 0);  ///< one element as double
/// The elements as they lie in memory; T must have the width of the dtype.
template <class T>
std::span<const T> elements_as(const Constant& constant) {
  return {reinterpret_cast<const T*>(constant.data.data()), constant.data.size() / sizeof(T)};
}

/// Equal type and equal content (NaNs by bits).
bool same_content(const Constant& a, const Constant& b);
/// Hash of type and content, for deduplication.
std::uint64_t content_hash(const Constant& constant);

}  // namespace anemone
