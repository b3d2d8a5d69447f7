#pragma once
// Result structs as text for people: aligned, at most 100 columns.
#include <string>

#include "anemone/toolchain/results.h"

namespace anemone::report {

std::string to_text(const ConvertResult& result, bool stats);
std::string to_text(const RunResult& result);
std::string to_text(const VerifyResult& result);
std::string to_text(const BenchResult& result);
std::string to_text(const SynthResult& result);
std::string to_text(const CheckpointListing& listing);

/// 26.6 MB.
std::string megabytes(std::uint64_t bytes);

}  // namespace anemone::report
