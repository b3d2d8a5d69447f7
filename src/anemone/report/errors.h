#pragma once
// The table of errors: for the terminal, for machines, and as a reference page.
#include <span>
#include <string>

#include "anemone/support/error_code.h"

namespace anemone::report {

std::string errors_text(std::span<const ErrorRow> rows);
std::string errors_json(std::span<const ErrorRow> rows);
std::string errors_markdown(std::span<const ErrorRow> rows);  ///< docs/reference/errors.md
std::string error_text(const ErrorRow& row);
std::string error_json(const ErrorRow& row);

}  // namespace anemone::report
