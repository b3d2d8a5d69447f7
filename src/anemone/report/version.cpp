// The version and how it was built.
#include "anemone/report/version.h"

#include <fmt/format.h>

#include "anemone/report/json_parts.h"

namespace anemone::report {

std::string version_text(const toolchain::VersionResult& r) {
  return fmt::format("anemone {}\nbuild         {}\ncompiler      {}\narchitecture  {}\n", r.version, r.build,
                     r.compiler, r.architecture);
}

std::string version_json(const toolchain::VersionResult& r) {
  return dump({{"schema", "anemone.version/1"},
               {"version", r.version},
               {"build", r.build},
               {"compiler", r.compiler},
               {"architecture", r.architecture}});
}

}  // namespace anemone::report
