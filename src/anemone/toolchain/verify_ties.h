#pragma once
// Whether only scores that are nearly equal changed places in a top-k.
#include <optional>
#include <string>

#include "anemone/toolchain/verify_causes.h"

namespace anemone::toolchain {

/// Whether the order of equal scores may decide where a value stands.
bool is_behind_top_k(const Value& output);

/// Compares what each top-k and argsort of the two models chooses from, and what it chose. When both agree from
/// `comparison.min_psnr_db` on and only places differ: the sentence that says so, with the largest difference of two
/// scores at one place. Nothing when a model has none, or when something else differs. `inputs` are the candidate's.
Result<std::optional<std::string>> only_ties_moved(const Comparison& comparison, const std::vector<Array>& inputs);

}  // namespace anemone::toolchain
