#pragma once
// The verb `plan`: where a model's operations would run on Apple's chips, from any input.
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "anemone/ir/interface.h"
#include "anemone/plan/plan.h"
#include "anemone/support/result.h"

namespace anemone {

struct PlanRequest {
  std::string device = "m1";  ///< "all": every chip that is known
  ComputeUnits units = ComputeUnits::cpu_ne;
  std::vector<std::string> off;  ///< operation types taken off the engine as a hypothesis
  std::optional<bool> half;      ///< fp16 or fp32 instead of what is stored
  std::optional<Target> target;
  std::optional<std::string> network;  ///< of a checkpoint
  std::vector<std::string> outputs;    ///< of a checkpoint, as for convert
};

struct PlanResult {
  std::string model;
  std::vector<Plan> plans;         ///< one a device
  std::vector<std::string> notes;  ///< what was assumed about the model: its default size, missing weights
  double seconds = 0;
};

/// A checkpoint is planned as the package that `convert` would write. A flexible program is planned at its default
/// size. Errors: unknown device or operation type (usage), and those of loading.
Result<PlanResult> plan_model(const std::filesystem::path& model, const PlanRequest& request);

/// Names for --device.
std::vector<std::string> device_names();

}  // namespace anemone
