#pragma once
// What two landmark networks see in the same pictures.
#include "anemone/toolchain/report.h"

namespace anemone::toolchain {

/// Distances of all points in all pictures of faces (those of the request, else the built-in ones), and the first
/// `most` pictures as small JPEG files. Nothing where the models have no landmarks in common.
Result<void> compare_in_pictures(const Model& candidate, const Model& reference, const VerifyRequest& request,
                                 std::size_t most, ReportAccuracy& accuracy);

}  // namespace anemone::toolchain
