#pragma once
// What the CPU engine would do with a model, without doing it.
#include <string>

#include "anemone/runtime/listing.h"
#include "anemone/support/result.h"
#include "anemone/toolchain/session.h"

namespace anemone::toolchain {

struct EnginePlan {
  std::string model;
  std::string isa;        ///< that the kernels would run on
  std::string precision;  ///< "as stored", "fp32", "fp16"
  runtime::PlanListing plan;
};

/// E0720 when the engine does not take the model because shapes depend on data.
Result<EnginePlan> engine_plan(const Model& model, const SessionOptions& options);

/// "as stored", "fp32", "fp16"
std::string precision_name(const SessionOptions& options);
/// "fp16", "fp16-reductions"; empty: sums are wide
std::string accumulate_name(runtime::HalfSums half_sums);

}  // namespace anemone::toolchain
