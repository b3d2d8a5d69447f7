// The verb `version`: what a bug report should say about the program and the machine.
#include "anemone/report/version.h"
#include "anemone/cli/verbs.h"
#include "anemone/toolchain/bench.h"

namespace anemone::cli {
namespace {

int run_version(Call& call) {
  if (const auto over = call.parse()) return *over;
#ifdef NDEBUG
  constexpr std::string_view kBuild = "release";
#else
  constexpr std::string_view kBuild = "checked";
#endif
#if defined(__clang__)
  constexpr std::string_view kCompiler = "clang " __clang_version__;
#else
  constexpr std::string_view kCompiler = "g++ " __VERSION__;
#endif
#if defined(__aarch64__)
  constexpr std::string_view kArchitecture = "aarch64";
#elif defined(__x86_64__)
  constexpr std::string_view kArchitecture = "x86_64";
#else
  constexpr std::string_view kArchitecture = "unknown";
#endif
  const toolchain::VersionResult result{ANEMONE_VERSION, std::string(kBuild), std::string(kCompiler),
                                        std::string(kArchitecture)};
  call.detail("executor: " + toolchain::machine());
  call.print(call.json ? report::version_json(result) : report::version_text(result));
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
