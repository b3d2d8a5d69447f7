#pragma once
// What the two halves of the literal reader share: integers as written, and elements before they are packed.
#include "anemone/ir/text/text_reader.h"

namespace anemone {

struct WrittenInteger {
  bool negative = false;
  std::uint64_t magnitude = 0;
};
std::optional<WrittenInteger> to_integer(std::string_view text);
bool fits_dtype(const WrittenInteger& value, DType dtype);
bool is_signed_integer(DType dtype);
inline bool is_wide_integer(DType dtype) { return dtype == DType::int64 || dtype == DType::uint64; }

// What the brackets of a tensor literal hold, before it is packed.
struct TextReader::Items {
  DType dtype = DType::int32;
  bool loose = false;  ///< numbers without a written type: integers and reals are told apart
  bool real = false;   ///< a loose number was not an integer
  std::vector<double> numbers;
  std::vector<std::uint64_t> wide;  ///< 64-bit integers
  std::vector<std::string> strings;
  std::vector<std::pair<std::size_t, std::uint64_t>> nan_bits;  ///< element, its bits
  Dims dims;
  std::size_t count = 0;
  bool ragged = false;
};

}  // namespace anemone
