// Reads packages, writes them again and compares the programs: op by op, names aside, constants by content.
// usage: roundtrip OUT_FOLDER PACKAGE...   writes OUT_FOLDER/0.mlpackage, 1.mlpackage, … in the order of the arguments
#include <fmt/format.h>

#include "anemone/backends/mlpackage/writer.h"
#include "anemone/frontends/mlpackage/reader.h"
#include "anemone/ir/compare.h"
#include "anemone/ir/text/parse.h"
#include "anemone/ir/text/print.h"
#include "anemone/ops/ops.h"

namespace {

using namespace anemone;

Result<void> check(const std::filesystem::path& package, const std::filesystem::path& target) {
  TRY(mlpackage::ReadPackage before, mlpackage::read_mlpackage(package, ops::table()));
  if (auto written = mlpackage::write_mlpackage(*before.program, target); !written) return std::move(written).error();
  TRY(mlpackage::ReadPackage after, mlpackage::read_mlpackage(target, ops::table()));
  std::string difference;
  if (!same_program(*before.program, *after.program, &difference))
    return own_bug("written and read again: " + difference);
  ParseOptions options;
  options.trust_types = true;
  TRY(std::unique_ptr<Program> parsed, parse(to_text(*before.program, {.exact = true}), ops::table(), options));
  if (!same_program(*before.program, *parsed, &difference)) return own_bug("printed and parsed: " + difference);
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  int failed = 0;
  for (int i = 2; i < argc; ++i) {
    const auto result = check(argv[i], std::filesystem::path(argv[1]) / fmt::format("{}.mlpackage", i - 2));
    if (result) continue;
    ++failed;
    fmt::print("FAIL {}\n{}", argv[i], render(result.error()));
  }
  fmt::print("{} passed, {} failed, 0 skipped\n", argc - 2 - failed, failed);
  return failed ? 1 : 0;
}
