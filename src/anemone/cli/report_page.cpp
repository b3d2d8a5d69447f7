// The page as a file, with the command that made it.
#include "anemone/cli/report_page.h"

#include <fmt/format.h>

#include <filesystem>

#include "anemone/cli/build_info.h"
#include "anemone/report/report.h"
#include "anemone/support/file.h"

namespace anemone::cli {
namespace {

namespace fs = std::filesystem;

/// Also where neither exists yet, and whichever way their folders are named.
bool same_place(const fs::path& a, const fs::path& b) {
  std::error_code unknown;
  if (fs::equivalent(a, b, unknown)) return true;
  const auto plain = [&](const fs::path& path) {
    const fs::path whole = fs::weakly_canonical(fs::absolute(path, unknown), unknown).lexically_normal();
    return whole.has_filename() ? whole : whole.parent_path();  // "star.mlpackage/", as completion writes it
  };
  return plain(a) == plain(b);
}

}  // namespace

Result<void> check_page(const std::string& page, const std::vector<std::string>& others) {
  for (const std::string& other : others) {
    if (!page.empty() && !other.empty() && same_place(page, other))
      return bad_usage(fmt::format("the page '{}' would replace '{}', which this call reads or writes", page, other),
                       "give the page another name");
  }
  return {};
}

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
