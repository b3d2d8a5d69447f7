// cond and while_loop. They have types but no meaning in the table: who runs a function runs their blocks.
#include "anemone/ops/families.h"
#include "anemone/ops/infer_util.h"

namespace anemone::ops {
namespace {

constexpr Param kCond[] = {input("pred", kBool, 0)};
constexpr Param kWhile[] = {several("loop_vars", kAnything, 0)};

// Extents that differ between two ways to get a value are not known.
Type either(const Type& a, const Type& b) {
  if (!a.is_tensor() || !b.is_tensor() || a == b) return a;
  if (!a.ranked || !b.ranked || a.dims.size() != b.dims.size()) return Type::unranked(a.dtype);
  Type type = a;
  for (std::size_t d = 0; d < type.dims.size(); ++d) {
    if (a.dims[d] != b.dims[d]) type.dims[d] = kUnknown;
  }
  return type;
}

Types infer_cond(const InferView& v) {
  const auto blocks = v.blocks();
  if (blocks.size() != 2 ||
      blocks[0]->outputs().size() != blocks[1]->outputs().size()) {  // (C1) two blocks, equal outputs
    return v.wrong("pred", "does not choose between two blocks with the same number of outputs");
  }
  std::vector<Type> types;
  for (std::size_t i = 0; i < blocks[0]->outputs().size(); ++i) {
    const Type &a = blocks[0]->outputs()[i]->type, &b = blocks[1]->outputs()[i]->type;
    if (a.kind != b.kind || a.dtype != b.dtype) {  // (C2) of equal dtypes
      return v.wrong("pred", fmt::format("gives output {} the type {} or {}", i, brief(a), brief(b)));
    }
    types.push_back(either(a, b));
  }
  return types;
}

Types infer_while(const InferView& v) {
  const auto blocks = v.blocks();
  const auto variables = v.types("loop_vars");
  if (blocks.size() != 2 ||
      blocks[1]->outputs().size() != variables.size()) {  // (C1) a condition, and a body of the same width
    return v.wrong("loop_vars",
                   fmt::format("{} values go in, but there is no body that gives as many", variables.size()));
  }
  if (blocks[0]->outputs().size() != 1 || blocks[0]->outputs()[0]->type.dtype != DType::boolean) {  // (C2)
    return v.wrong("loop_vars", "the condition is not one bool");
  }
  std::vector<Type> types;
  for (std::size_t i = 0; i < variables.size(); ++i)
    types.push_back(either(*variables[i], blocks[1]->outputs()[i]->type));
  return types;
}
constexpr Form kCondForms[] = {{Target::ios15, kCond, infer_cond}};
constexpr Form kWhileForms[] = {{Target::ios15, kWhile, infer_while}};

constexpr OpDef kOps[] = {
    {.name = "cond", .summary = "the outputs of the first block if pred, else of the second", .forms = kCondForms},
    {.name = "while_loop",
     .summary = "loop_vars, replaced by the outputs of the body as long as the condition holds",
     .forms = kWhileForms},
};

}  // namespace

std::span<const OpDef> control() { return kOps; }

}  // namespace anemone::ops
