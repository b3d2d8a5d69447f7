#pragma once
// Checkpoints as such: their tensors, and a synthetic one.
#include <string>

#include "anemone/toolchain/results.h"

namespace anemone::report {

std::string synth_text(const toolchain::SynthResult& result);
std::string synth_json(const toolchain::SynthResult& result);
std::string listing_text(const toolchain::CheckpointListing& listing);
std::string listing_json(const toolchain::CheckpointListing& listing);

}  // namespace anemone::report
