#pragma once
// What `doctor` found.
#include <string>

#include "anemone/toolchain/doctor.h"

namespace anemone::report {

std::string doctor_text(const toolchain::DoctorResult& result);
std::string doctor_json(const toolchain::DoctorResult& result);

}  // namespace anemone::report
