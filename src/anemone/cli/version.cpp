// The verb `version`: what a bug report should say about the program and the machine.
#include "anemone/report/version.h"
#include "anemone/cli/build_info.h"
#include "anemone/cli/verbs.h"
#include "anemone/toolchain/bench.h"

namespace anemone::cli {
namespace {

int run_version(Call& call) {
  if (const auto over = call.parse()) return *over;
  const toolchain::VersionResult result{ANEMONE_VERSION, std::string(kBuild), std::string(kCompiler),
                                        std::string(kArchitecture)};
  call.detail("executor: " + toolchain::machine());
  call.page(call.json ? report::version_json(result) : report::version_text(result));
  return 0;
}

}  // namespace

const Verb kVersionVerb{.name = "version",
                        .arguments = "",
                        .summary = "the version and how it was built",
                        .details = "",
                        .examples = "anemone version --json",
                        .says_no = "",
                        .run = run_version};

}  // namespace anemone::cli
