#pragma once
// How a page of text meets a terminal: its width, its colours. Reports write plain lines of any length.
#include <string>
#include <string_view>

namespace anemone::report {

/// Lines of at most `width` columns, cut at spaces and nowhere else; what is cut off stands below the column that it
/// came from. A command (`anemone …`), which is there to be copied, stays whole, and so does a word that is too long.
std::string folded(std::string_view page, std::size_t width);

/// Colours for verdicts, severities and units, readable on black and on white: green is well, bold red is not, bold
/// magenta wants attention, bold blue is said by the way. The words stay: colour alone says nothing.
std::string painted(std::string_view page);

}  // namespace anemone::report
