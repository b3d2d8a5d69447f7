#pragma once
// Times of this machine.
#include <string>

#include "anemone/toolchain/bench.h"

namespace anemone::report {

std::string bench_text(const toolchain::BenchResult& result);
std::string bench_json(const toolchain::BenchResult& result);

}  // namespace anemone::report
