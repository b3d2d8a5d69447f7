// The verb `doctor`: is everything there?
#include "anemone/report/doctor.h"
#include "anemone/cli/build_info.h"
#include "anemone/cli/verbs.h"

namespace anemone::cli {
namespace {

int run_doctor(Call& call) {
  if (const auto over = call.parse()) return *over;
  const toolchain::DoctorResult result = toolchain::doctor(ANEMONE_VERSION, std::string(kCompiler));
  call.detail(std::to_string(result.checks.size()) + " checks");
  call.page(call.json ? report::doctor_json(result) : report::doctor_text(result));
  return call.answer(result.healthy);
}

}  // namespace

const Verb kDoctorVerb{.name = "doctor",
                       .arguments = "",
                       .summary = "what this machine has: processor, picture module, versions",
                       .examples = "anemone doctor\nanemone doctor --json",
                       .says_no = "something is missing",
                       .run = run_doctor};

}  // namespace anemone::cli
