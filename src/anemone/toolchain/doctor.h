#pragma once
// The verb `doctor`: whether everything that the program may need on this machine is there.
#include <string>
#include <vector>

namespace anemone::toolchain {

struct DoctorCheck {
  std::string name, found;
  bool good = true;
  std::string help;  ///< what to do where it is not
};
struct DoctorResult {
  std::vector<DoctorCheck> checks;
  bool healthy = true;
};

/// The processor and its kernels, the module that reads pictures (by reading one), the folder for temporaries, the
/// compiler and version of the program.
DoctorResult doctor(const std::string& version, const std::string& compiler);

}  // namespace anemone::toolchain
