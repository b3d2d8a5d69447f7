#pragma once
// Texts from files: are they UTF-8, and how to show one. What a file calls things never reaches a terminal as it is.
#include <string>
#include <string_view>

namespace anemone {

/// True for well-formed UTF-8 (no surrogates, no overlong forms).
bool is_utf8(std::string_view bytes);

/// One line that a terminal shows and does not obey: control characters, bytes that are no UTF-8, and characters that
/// reorder or break lines (bidirectional controls, C1 controls, line separators) become \xNN, byte by byte.
std::string escaped(std::string_view bytes);

/// For messages: escaped, and a long text is cut ("abc...").
std::string printable(std::string_view bytes, std::size_t longest = 100);

/// The same for JSON that was written already: such characters stand in its strings only, and become \uNNNN there.
std::string escaped_json(std::string_view json);

/// A whole page at the terminal's door: line feeds and tabs stay, and with `colored` the colours (ESC [ … m) do.
std::string escaped_page(std::string_view text, bool colored);

}  // namespace anemone
