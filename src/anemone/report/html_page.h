#pragma once
// The one frame, style and script of every page. Nothing is loaded from elsewhere; without scripts everything can be read.
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "anemone/plan/plan.h"

namespace anemone::report {

/// `title` is text, `body` markup. Light and dark as the reader's system is; what is folded is open on paper.
std::string html_page(std::string_view title, std::string_view body);

/// A table that becomes a list of labelled values where the window is narrow.
struct HtmlColumn {
  std::string_view title;  ///< text; may be empty
  bool number = false;     ///< stands to the right
};
/// Cells are markup. The first cell of a row is its heading.
std::string html_table(std::span<const HtmlColumn> columns, const std::vector<std::vector<std::string>>& rows);

/// "ane", with its colour beside it: colour alone says nothing.
std::string unit_mark(plan::Unit unit);

/// A row of figures: what it is, and how much.
struct HtmlFigure {
  std::string value, label;  ///< text
};
std::string html_figures(std::span<const HtmlFigure> figures);

}  // namespace anemone::report
