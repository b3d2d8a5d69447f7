#pragma once
// Errors of landmarks in numbers and as a curve.
#include <string>

#include "anemone/toolchain/score.h"

namespace anemone::report {

std::string score_text(const toolchain::ScoreResult& result);
std::string score_json(const toolchain::ScoreResult& result);
/// The share of faces (y) with at most an error (x), a line a normalisation, up to the largest threshold.
std::string score_svg(const toolchain::ScoreResult& result);

}  // namespace anemone::report
