#pragma once
// Texts from files: are they UTF-8, and how to quote one in a message.
#include <string>
#include <string_view>

namespace anemone {

/// True for well-formed UTF-8 (no surrogates, no overlong forms).
bool is_utf8(std::string_view bytes);

/// For messages: control characters and bytes that are no UTF-8 become \xNN, and a long text is cut ("abc...").
std::string printable(std::string_view bytes, std::size_t longest = 100);

}  // namespace anemone
