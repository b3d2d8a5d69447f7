#pragma once
// Words and numbers that the forms of an analysis share. Internal to report/.
#include <string>
#include <vector>

#include "anemone/toolchain/analysis.h"

namespace anemone::report {

std::string grouped(std::int64_t n);        ///< 17,177,332
std::string short_count(std::int64_t n);    ///< 17.34 G
std::string mebibytes(std::int64_t bytes);  ///< 65.5 MB, in 2^20 as users' tables have it
std::string joined(const std::vector<std::string>& names, std::size_t most);  ///< "a, b and 3 more"
std::string shape_words(const FeatureSummary& feature);
/// Cuts at `width` columns (code points) with an ellipsis.
std::string fitted(const std::string& text, std::size_t width);
/// Lines of at most `width` columns, later ones indented.
std::string wrapped(const std::string& text, std::size_t indent, std::size_t width = 100);
std::size_t columns(const std::string& text);  ///< code points

}  // namespace anemone::report
