#pragma once
// What `report` and `convert --report` end with.
#include <string>

#include "anemone/cli/verb.h"
#include "anemone/toolchain/report.h"

namespace anemone::cli {

/// What is said of a page that was written.
struct WrittenPage {
  std::string text, json;
};
/// Writes the page, whole or not at all, with the command that made it.
Result<WrittenPage> write_report(const Call& call, toolchain::Report report, const std::string& output);

}  // namespace anemone::cli
