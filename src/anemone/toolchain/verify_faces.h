#pragma once
// Pictures of people as inputs of landmark networks: faces found and cut out as `detect` does it, and what people marked
// on them.
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "anemone/support/result.h"
#include "anemone/toolchain/verify_inputs.h"
#include "anemone/toolchain/verify_truth.h"

namespace anemone::toolchain {

/// An input a face: every face of every picture that scores at least 0.5, as large as `landmarks` takes it. `notes` gets
/// a line where pictures have no face. E0630 the first is no detector; an error of usage where no picture has a face.
Result<std::vector<VerifyInput>> face_inputs(const std::vector<std::filesystem::path>& pictures, const Model& detector,
                                             const Model& landmarks, int threads, std::vector<std::string>& notes);

/// Gives every input whose picture has a face in the file its truth, in pixels of the crop. Pictures that are crops
/// themselves are taken to be `side` pixels wide and high by resizing, as the network sees them.
Result<void> add_truth(std::vector<VerifyInput>& inputs, TruthFile& file, std::int64_t side);

}  // namespace anemone::toolchain
