// Rows and texts from the list.
#include "anemone/support/error_code.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <ostream>

namespace anemone {
namespace {

constexpr ErrorRow kRows[] = {
#define ERROR_CODE(number, name, meaning, remedy) {ErrorCode::name, #name, meaning, remedy},
#include "anemone/support/error_codes.inc"
#undef ERROR_CODE
};

using Text = std::array<char, 5>;
constexpr auto kTexts = [] {
  std::array<Text, std::size(kRows)> texts{};
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto number = static_cast<unsigned>(kRows[i].code);
    unsigned place = 1000;
    texts[i][0] = 'E';
    for (std::size_t digit = 1; digit < 5; ++digit, place /= 10)
      texts[i][digit] = static_cast<char>('0' + number / place % 10);
  }
  return texts;
}();

}  // namespace

std::span<const ErrorRow> error_rows() { return kRows; }

std::string_view text_of(ErrorCode code) {
  const auto* const row = std::lower_bound(std::begin(kRows), std::end(kRows), code,
                                           [](const ErrorRow& r, ErrorCode wanted) { return r.code < wanted; });
  if (row == std::end(kRows) || row->code != code) return {};
  const Text& text = kTexts[static_cast<std::size_t>(row - kRows)];
  return {text.data(), text.size()};
}

bool operator==(ErrorCode code, std::string_view text) { return text_of(code) == text; }

std::ostream& operator<<(std::ostream& out, ErrorCode code) { return out << text_of(code); }

}  // namespace anemone
