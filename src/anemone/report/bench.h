#pragma once
// Times of this machine.
#include <cstddef>
#include <string>

#include "anemone/toolchain/bench.h"

namespace anemone::report {

/// `most_ops`: how many operations are listed, when they were asked for.
std::string bench_text(const toolchain::BenchResult& result, std::size_t most_ops = 30);
/// A row for each contestant; with operations asked for, a row for each operation of the model instead.
std::string bench_csv(const toolchain::BenchResult& result);
std::string bench_json(const toolchain::BenchResult& result);

}  // namespace anemone::report
