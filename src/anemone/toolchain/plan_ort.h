#pragma once
// The verb `plan --ort`: what ONNX Runtime's CoreML provider would take of a model.
#include <filesystem>
#include <string>
#include <vector>

#include "anemone/plan/ort/provider_plan.h"
#include "anemone/support/result.h"
#include "anemone/toolchain/model.h"

namespace anemone::toolchain {

struct OrtPlans {
  std::string model;
  std::vector<plan::ort::ProviderPlan> plans;  ///< one a target
  std::vector<std::string> notes;              ///< what was assumed about the model
  double seconds = 0;
};

/// `target`: "1.19/neuralnetwork", or "all". Errors: an unknown target (usage), a file that is not read, a model that is no
/// ONNX file.
Result<OrtPlans> plan_for_ort(const std::filesystem::path& path, const std::string& target, const Talk& talk);

}  // namespace anemone::toolchain
