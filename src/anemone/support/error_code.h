#pragma once
// The table of errors: one number, one meaning (error_codes.inc).
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace anemone {

enum class ErrorCode : std::uint16_t {
#define ERROR_CODE(number, name, meaning, remedy) name = number,
#include "anemone/support/error_codes.inc"
#undef ERROR_CODE
};

struct ErrorRow {
  ErrorCode code;
  std::string_view name;     ///< "zip_damaged"
  std::string_view meaning;  ///< what has happened, in general; messages have the numbers
  std::string_view remedy;   ///< what to do
};
std::span<const ErrorRow> error_rows();  ///< by number

std::string text_of(ErrorCode code);  ///< "E0510"

}  // namespace anemone
