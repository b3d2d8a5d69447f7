#pragma once
// The table of errors: one number, one meaning (error_codes.inc).
#include <cstdint>
#include <iosfwd>
#include <span>
#include <string_view>

namespace anemone {

enum class ErrorCode : std::uint16_t {
  none = 0,
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

std::string_view text_of(ErrorCode code);  ///< "E0510"; of none ""
/// For tests, which say what a user sees: EXPECT_EQ(code, "E0510"). Code compares names.
bool operator==(ErrorCode code, std::string_view text);
std::ostream& operator<<(std::ostream& out, ErrorCode code);

}  // namespace anemone
