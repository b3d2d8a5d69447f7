// By the bits of a significand.
#include "anemone/passes/dtypes.h"

namespace anemone::passes {
namespace {

// Bits of whole numbers that a dtype holds without a gap; the sign apart.
int whole_bits(DType dtype) {
  switch (dtype) {
    case DType::boolean:
      return 1;
    case DType::int8:
      return 7;
    case DType::uint8:
      return 8;
    case DType::fp16:
      return 11;
    case DType::int16:
      return 15;
    case DType::uint16:
      return 16;
    case DType::fp32:
      return 24;
    case DType::int32:
      return 31;
    default:
      return 0;
  }
}

}  // namespace

bool holds(DType wide, DType narrow) {
  if (wide == narrow) return true;
  if (is_float(narrow)) return wide == DType::fp32 && narrow == DType::fp16;
  if (wide == DType::boolean) return false;
  const bool may_be_negative = narrow == DType::int8 || narrow == DType::int16 || narrow == DType::int32;
  const bool no_sign = wide == DType::uint8 || wide == DType::uint16;
  return whole_bits(narrow) > 0 && whole_bits(wide) >= whole_bits(narrow) && !(may_be_negative && no_sign);
}

}  // namespace anemone::passes
