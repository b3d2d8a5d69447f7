#pragma once
// The verb `plan --ort`: what ONNX Runtime's CoreML provider would take of a model.
#include <filesystem>
#include <string>
#include <vector>

#include "anemone/plan/ort/provider_plan.h"
#include "anemone/support/result.h"
#include "anemone/toolchain/convert.h"
#include "anemone/toolchain/model.h"

namespace anemone::toolchain {

struct OrtRequest {
  std::string target = "1.19/neuralnetwork";  ///< or "all"
  LoadOptions load;                           ///< of a model that is no ONNX file
  std::vector<std::string> outputs;           ///< of a checkpoint, as for export
  std::optional<PackagePrecision> precision;  ///< of an export; default fp32
};

/// The same model after one change.
struct OrtCounts {
  std::size_t nodes = 0, supported = 0, partitions = 0;
};

struct OrtPlans {
  std::string model;
  std::vector<plan::ort::ProviderPlan> plans;  ///< one a target
  std::optional<OrtCounts> rewritten;  ///< of one target, and no ONNX file: as `export --for ort-coreml` writes it
  std::vector<std::string> notes;      ///< what was assumed about the model
  double seconds = 0;
};

/// A model that is no ONNX file is planned as the one that `export` would write. Errors: an unknown target (usage), a file
/// that is not read, those of an export.
Result<OrtPlans> plan_for_ort(const std::filesystem::path& path, const OrtRequest& request);

}  // namespace anemone::toolchain
