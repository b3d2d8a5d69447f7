#pragma once
// What `report` and `convert --report` end with, and what no page may replace.
#include <string>
#include <vector>

#include "anemone/cli/verb.h"
#include "anemone/toolchain/report.h"

namespace anemone::cli {

/// Before any work: a usage error where the page would replace one of the files or packages that the verb reads or
/// writes besides. Empty names are none.
Result<void> check_page(const std::string& page, const std::vector<std::string>& others);

/// What is said of a page that was written.
struct WrittenPage {
  std::string text, json;
};
/// Writes the page, whole or not at all, with the command that made it.
Result<WrittenPage> write_report(const Call& call, toolchain::Report report, const std::string& output);

}  // namespace anemone::cli
