// read_state and write_state. They have types but no meaning of their own: what a state holds belongs to who runs the
// function.
#include "anemone/ops/families.h"
#include "anemone/ops/infer_util.h"

namespace anemone::ops {
namespace {

constexpr Param kRead[] = {{"input", kAnything}};
constexpr Param kWrite[] = {{"input", kAnything}, {"data", kFloats | dtype_bit(DType::int8)}};

Types infer_read(const InferView& v) {
  const Type& state = v.type("input");
  if (state.kind != Type::Kind::state)
    return v.wrong("input", fmt::format("is {}, not a state", to_string(state)));  // (C1)
  return one(state.tensor_part());
}
Types infer_write(const InferView& v) {
  const Type &state = v.type("input"), &data = v.type("data");
  if (state.kind != Type::Kind::state)
    return v.wrong("input", fmt::format("is {}, not a state", to_string(state)));  // (C1)
  if (!compatible(state.tensor_part(), data)) {                                    // (C2) the type of the state
    return v.wrong("data", fmt::format("is {}, the state holds {}", brief(data), brief(state.tensor_part())));
  }
  return std::vector<Type>{};
}
constexpr Form kReadForms[] = {{Target::ios18, kRead, infer_read}};
constexpr Form kWriteForms[] = {{Target::ios18, kWrite, infer_write}};

constexpr OpDef kOps[] = {
    {.name = "read_state", .summary = "what the state holds now", .forms = kReadForms, .traits = kEffect},
    {.name = "write_state", .summary = "the state holds data from now on", .forms = kWriteForms, .traits = kEffect},
};

}  // namespace

std::span<const OpDef> state() { return kOps; }

}  // namespace anemone::ops
