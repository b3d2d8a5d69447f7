#pragma once
// The verb `run`: executes a model once.
#include <filesystem>
#include <vector>

#include "anemone/support/result.h"
#include "anemone/toolchain/results.h"
#include "anemone/toolchain/session.h"

namespace anemone::toolchain {

/// Executes, `steps` times with the same inputs where states shall go on from step to step, and writes each output as `NAME.npy` into `folder` (made if needed); a repeated name becomes NAME-1.
Result<RunResult> run(const Model& model, const std::vector<InputFile>& inputs, const std::filesystem::path& folder,
                      const SessionOptions& options, int steps = 1);

}  // namespace anemone::toolchain
