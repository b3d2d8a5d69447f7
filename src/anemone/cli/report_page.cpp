// The page as a file, with the command that made it.
#include "anemone/cli/report_page.h"

#include "anemone/cli/build_info.h"
#include "anemone/report/report.h"
#include "anemone/support/file.h"

namespace anemone::cli {

Result<WrittenPage> write_report(const Call& call, toolchain::Report report, const std::string& output) {
  report.commands.push_back(call.command_line());
  const toolchain::VersionResult version{ANEMONE_VERSION, std::string(kBuild), std::string(kCompiler),
                                         std::string(kArchitecture)};
  const std::string page = report::report_html(report, version);
  TRY_VOID(write_file(output, page));
  return WrittenPage{report::report_text(report, output, page.size()),
                     report::report_json(report, output, page.size())};
}

}  // namespace anemone::cli
