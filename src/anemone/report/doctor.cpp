// A line a check.
#include "anemone/report/doctor.h"

#include <fmt/format.h>

#include "anemone/report/json_parts.h"

namespace anemone::report {

std::string doctor_text(const toolchain::DoctorResult& r) {
  std::string out;
  for (const toolchain::DoctorCheck& check : r.checks) {
    out += fmt::format("{}{:<12} {}\n", check.good ? "  " : "  missing ", check.name, check.found);
    if (!check.good) out += fmt::format("    help: {}\n", check.help);
  }
  return out + (r.healthy ? "all is there\n" : "something is missing; the rest works without it\n");
}

std::string doctor_json(const toolchain::DoctorResult& r) {
  Json checks = Json::array();
  for (const toolchain::DoctorCheck& check : r.checks)
    checks.push_back({{"name", check.name}, {"found", check.found}, {"good", check.good}, {"help", check.help}});
  return dump({{"schema", "anemone.doctor/1"}, {"checks", checks}, {"healthy", r.healthy}});
}

}  // namespace anemone::report
