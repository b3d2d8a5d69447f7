#pragma once
// Which instruction sets the kernels were built for, and which one runs.
#include <cstdint>
#include <string>
#include <vector>

namespace anemone::cpu {

struct CpuTarget {
  std::int64_t id = 0;
  std::string name;  ///< Highway's: "AVX3", "AVX2", "SSE4", "EMU128", "NEON"
};

/// Built in and supported by this machine, best first. The first one runs unless use_target says otherwise.
std::vector<CpuTarget> available_targets();
CpuTarget chosen_target();
/// Makes all kernels of the process use one of available_targets() (tests, benchmarks); id 0 = the best again. Not
/// while kernels run.
void use_target(std::int64_t id);

}  // namespace anemone::cpu
