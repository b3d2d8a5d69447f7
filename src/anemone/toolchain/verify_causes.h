#pragma once
// Why a candidate's numbers are not the reference's: guesses that are tried out, not said.
#include <string>
#include <utility>
#include <vector>

#include "anemone/toolchain/session.h"
#include "anemone/toolchain/verify_inputs.h"

namespace anemone::toolchain {

/// Two models on one input, the worst where something fails.
struct Comparison {
  const Session& candidate;
  const Session& reference;
  const SessionOptions& options;            ///< of the candidate
  const SessionOptions& reference_options;  ///< of the reference
  const VerifyInput& input;
  std::vector<std::pair<std::size_t, std::size_t>> pairs;  ///< outputs of the two that stand against each other
  double min_psnr_db = 0;
};

struct Causes {
  std::vector<std::string> found;  ///< sentences: what was tried, and what came of it
  std::string next;                ///< what to do about it
};

/// Tries, until one explains the difference: a value that stops being finite; a top-k over scores that are nearly equal; pixels of another order, scale or bias
/// than the network was trained with; the rounding to fp16 (the candidate is executed without it); and the first
/// value that both have and that differs.
Result<Causes> find_causes(const Comparison& comparison);

}  // namespace anemone::toolchain
