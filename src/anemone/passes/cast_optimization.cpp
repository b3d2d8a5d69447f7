// Makes one cast of two.
// before:  %a = cast(x=%x, dtype="fp32")   %b = cast(x=%a, dtype="fp16")       (%x is fp16)
// after:   %b is %x
// only if: the dtype between holds every number of the first one
// why:     frontends compute in one dtype and store in another; each cast is a pass over the tensor
#include "anemone/ir/builder.h"
#include "anemone/ir/rewrite.h"
#include "anemone/passes/pass.h"

namespace anemone::passes {
namespace {

// Bits of whole numbers that a dtype holds without a gap; the sign apart.
int whole_bits(DType dtype) {
  switch (dtype) {
    case DType::boolean:
      return 1;
    case DType::int8:
      return 7;
    case DType::uint8:
      return 8;
    case DType::fp16:
      return 11;
    case DType::int16:
      return 15;
    case DType::uint16:
      return 16;
    case DType::fp32:
      return 24;
    case DType::int32:
      return 31;
    default:
      return 0;
  }
}

bool holds(DType wide, DType narrow) {
  if (wide == narrow) return true;
  if (is_float(narrow)) return wide == DType::fp32 && narrow == DType::fp16;
  if (wide == DType::boolean) return false;
  const bool may_be_negative = narrow == DType::int8 || narrow == DType::int16 || narrow == DType::int32;
  const bool no_sign = wide == DType::uint8 || wide == DType::uint16;
  return whole_bits(narrow) > 0 && whole_bits(wide) >= whole_bits(narrow) && !(may_be_negative && no_sign);
}

}  // namespace

Result<bool> cast_optimization(Block& block, PassContext& context) {
  bool changed = false;
  for (auto at = block.nodes.begin(); at != block.nodes.end();) {
    Node& second = *at++;
    const Node* first = second.type == "cast" ? producer(second.input("x"), "cast") : nullptr;
    Value* x = first ? first->input("x") : nullptr;
    if (!x || !holds(first->output()->type.dtype, x->type.dtype)) continue;
    if (x->type == second.output()->type) {
      if (!replace_with(second, *x)) continue;
    } else {
      second.set("x", x);
    }
    context.count("casts merged");
    changed = true;
  }
  return changed;
}

}  // namespace anemone::passes
