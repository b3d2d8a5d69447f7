#pragma once
// Result structs as JSON, with the keys of the contract (docs/reference/cli.md). Keys are only ever added.
#include <string>

#include "anemone/toolchain/results.h"

namespace anemone::report {

std::string to_json(const ConvertResult& result);
std::string to_json(const RunResult& result);
std::string to_json(const VerifyResult& result);
std::string to_json(const BenchResult& result);
std::string to_json(const SynthResult& result);
std::string to_json(const CheckpointListing& listing);

}  // namespace anemone::report
