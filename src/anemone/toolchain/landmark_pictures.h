#pragma once
// A picture as two landmark networks saw it, for pages.
#include "anemone/toolchain/model.h"
#include "anemone/toolchain/verify_inputs.h"
#include "anemone/toolchain/verify_result.h"

namespace anemone::toolchain {

/// Nothing where the input is no picture. E0312: the module that writes images is missing.
Result<std::optional<LandmarkPicture>> landmark_picture(const VerifyInput& input, const LandmarkInfo& info,
                                                        const Array& candidate, const Array& reference);

}  // namespace anemone::toolchain
