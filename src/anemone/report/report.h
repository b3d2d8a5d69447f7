#pragma once
// The page of the verb `report`.
#include <string>

#include "anemone/toolchain/report.h"
#include "anemone/toolchain/results.h"

namespace anemone::report {

/// One self-contained page: the model beside what it was made from, its parts, its plan, what was measured and verified.
std::string report_html(const toolchain::Report& report, const toolchain::VersionResult& version);

std::string report_text(const toolchain::Report& report, const std::string& output, std::size_t bytes);
std::string report_json(const toolchain::Report& report, const std::string& output, std::size_t bytes);

}  // namespace anemone::report
