#pragma once
// The verb `plan`: where a model's operations would run on Apple's chips, from any input.
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "anemone/plan/ane/planner.h"
#include "anemone/plan/plan.h"
#include "anemone/support/result.h"
#include "anemone/toolchain/convert.h"

namespace anemone::toolchain {

struct PlanRequest {
  std::string device = "m1";  ///< "all": every chip that is known
  plan::ComputeUnits units = plan::ComputeUnits::cpu_ne;
  std::vector<std::string> off;               ///< operation types taken off the engine as a hypothesis
  std::optional<PackagePrecision> precision;  ///< as for convert; default: a package as stored, a checkpoint in fp16
  std::optional<Target> target;               ///< as for convert
  std::vector<std::string> outputs;           ///< of a checkpoint, as for convert
};

struct PlanResult {
  std::string model;
  std::vector<plan::Plan> plans;   ///< one a device
  std::vector<std::string> notes;  ///< what was assumed about the model: its default size, missing weights
  double seconds = 0;
};

/// What is planned of a model, which must live as long.
struct Planned {
  std::unique_ptr<Program> own;      ///< null: the model's program as it is
  const Program* program = nullptr;  ///< at its default size
  Interface declared;                ///< with the sizes that it takes
  std::vector<std::string> notes;
};

/// A checkpoint is planned as the package that `convert` would write, and so is a package in another precision. A
/// flexible program is planned at its default size. Errors: unknown device or operation type (usage), and those of a
/// conversion.
Result<PlanResult> plan_model(const Model& model, const PlanRequest& request);

/// The same without the plan.
Result<Planned> planned_program(const Model& model, const PlanRequest& request);
plan::ane::PlanOptions plan_options(const PlanRequest& request);

/// For passes that ask what pays: milliseconds of an operation on the engine by the planner's estimate, and whether the
/// engine takes it.
passes::PassSettings engine_settings(const plan::ane::Device& device);

/// The chip of a name; an unknown one is wrong usage.
Result<const plan::ane::Device*> find_device(const std::string& name);

}  // namespace anemone::toolchain
