#pragma once
// The types of MIL: tensors with known or unknown extents, and the few containers around them.
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace anemone {

/// Element types of MIL, in the order of its own numbering. Sub-byte types occur only inside constants.
enum class DType : std::uint8_t {
  boolean,
  string,
  fp16,
  fp32,
  fp64,
  bf16,
  fp8e4m3fn,
  fp8e5m2,
  int4,
  int8,
  int16,
  int32,
  int64,
  uint1,
  uint2,
  uint3,
  uint4,
  uint6,
  uint8,
  uint16,
  uint32,
  uint64,
};
inline constexpr int kDTypeCount = static_cast<int>(DType::uint64) + 1;

std::string_view name(DType dtype);  ///< "fp16", "bool", as in MIL text
std::optional<DType> dtype_from(std::string_view name);
int mil_number(DType dtype);  ///< its number in MIL's protobuf schema (MIL.proto, DataType)
std::optional<DType> dtype_from_mil(int number);
int bits(DType dtype);  ///< of one element; 8 for bool, 0 for string
bool is_float(DType dtype);
bool is_integer(DType dtype);  ///< not bool

using Dims = std::vector<std::int64_t>;
inline constexpr std::int64_t kUnknown = -1;  ///< an extent that is not known before run time

/// Number of elements, or nothing when an extent is unknown or the product does not fit in 63 bits.
std::optional<std::int64_t> element_count(std::span<const std::int64_t> dims);
/// Bytes of packed storage (sub-byte types: one bit stream, rounded up), or nothing as above. Strings count 0.
std::optional<std::int64_t> byte_count(DType dtype, std::span<const std::int64_t> dims);
Dims row_major_strides(std::span<const std::int64_t> dims);

struct Type {
  enum class Kind : std::uint8_t { tensor, list, tuple, dictionary, state };
  Kind kind = Kind::tensor;
  DType dtype = DType::fp32;   ///< tensor
  bool ranked = true;          ///< tensor: false when not even the rank is known
  Dims dims;                   ///< tensor: extents, kUnknown where unknown; empty = scalar
  std::int64_t length = 0;     ///< list: number of elements, or kUnknown
  std::vector<Type> elements;  ///< list: [element]; tuple: all; dictionary: [key, value]; state: [wrapped tensor]

  bool operator==(const Type&) const = default;

  static Type tensor(DType dtype, Dims dims);
  static Type unranked(DType dtype);
  static Type list(Type element, std::int64_t length);
  static Type dictionary(Type key, Type value);
  static Type tuple(std::vector<Type> elements);
  static Type state(Type wrapped);

  bool is_tensor() const { return kind == Kind::tensor; }
  /// The tensor itself, or the one inside a state.
  const Type& tensor_part() const { return kind == Kind::state && !elements.empty() ? elements[0] : *this; }
  std::int64_t rank() const { return static_cast<std::int64_t>(dims.size()); }
  /// A tensor all of whose extents are known.
  bool is_fixed() const;
};

/// MIL text: "tensor<fp16, [1, 3, ?, ?]>", "state<tensor<fp16, [1, 8]>>".
std::string to_string(const Type& type);
/// Short form for messages and tables: "fp16[1,3,256,256]".
std::string brief(const Type& type);
std::string brief(std::span<const std::int64_t> dims);  ///< "[1,3,256,256]"

/// True when a value of type `actual` may stand where `declared` is written: equal but for extents (or the rank) that
/// either side does not know.
bool compatible(const Type& declared, const Type& actual);

}  // namespace anemone
