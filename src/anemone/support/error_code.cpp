// Rows from the list.
#include "anemone/support/error_code.h"

#include <fmt/format.h>

namespace anemone {
namespace {

constexpr ErrorRow kRows[] = {
#define ERROR_CODE(number, name, meaning, remedy) {ErrorCode::name, #name, meaning, remedy},
#include "anemone/support/error_codes.inc"
#undef ERROR_CODE
};

}  // namespace

std::span<const ErrorRow> error_rows() { return kRows; }

std::string text_of(ErrorCode code) { return fmt::format("E{:04}", static_cast<int>(code)); }

}  // namespace anemone
