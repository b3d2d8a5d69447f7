#pragma once
// Words and numbers as people read them, shared by all reports. Names from files come out escaped: one line each.
#include <string>
#include <string_view>
#include <vector>

#include "anemone/support/text.h"
#include "anemone/toolchain/summary.h"

namespace anemone::report {

std::string short_count(std::int64_t n);                                      ///< 17.34 G
std::string megabytes(std::uint64_t bytes);                                   ///< 26.6 MB
std::string joined(const std::vector<std::string>& names, std::size_t most);  ///< "a, b and 3 more"
std::string milliseconds(double ms);                ///< "9.5", "0.02": never 0.00 for some work
std::string milliseconds(double low, double high);  ///< "9.5 to 12.4"
std::string extents(const Dims& dims);              ///< 1x3x?x256
std::string shape_words(const toolchain::FeatureSummary& feature);
std::string feature_words(const toolchain::FeatureSummary& feature);  ///< "image (image bgr, 256x256 pixels)"
/// "  label     item" with the items below each other; long lists are cut.
std::string labelled(std::string_view label, const std::vector<std::string>& items, std::size_t most = 20);
/// Cuts at `width` columns (code points) with an ellipsis.
std::string fitted(const std::string& text, std::size_t width);
/// Lines of at most `width` columns, later ones indented.
std::string wrapped(std::string_view text, std::size_t indent, std::size_t width = 100);
std::size_t columns(std::string_view text);  ///< code points

}  // namespace anemone::report
