// The plan of an opened model.
#include "anemone/toolchain/engine_plan.h"

namespace anemone::toolchain {

std::string precision_name(const SessionOptions& options) {
  switch (options.precision.value_or(runtime::Precision::as_stored)) {
    case runtime::Precision::as_stored:
      break;
    case runtime::Precision::fp32:
      return "fp32";
    case runtime::Precision::fp16:
      return "fp16";
  }
  return "as stored";
}

std::string accumulate_name(runtime::HalfSums half_sums) {
  switch (half_sums) {
    case runtime::HalfSums::none:
      break;
    case runtime::HalfSums::reductions:
      return "fp16-reductions";
    case runtime::HalfSums::all:
      return "fp16";
  }
  return {};
}

Result<EnginePlan> engine_plan(const Model& model, const SessionOptions& options) {
  TRY(Session session, Session::open(model, {}, options));
  TRY_VOID(session.compile());
  auto plan = session.plan();
  if (!plan) {
    return bad_input(ErrorCode::no_engine_plan,
                     "there is no plan: shapes in this network depend on data, so it is executed by definition",
                     model.path.string());
  }
  return EnginePlan{model.path.string(), runtime::instruction_set(), precision_name(options), *std::move(plan)};
}

}  // namespace anemone::toolchain
