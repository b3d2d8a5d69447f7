// Removes operations whose result is their operand.
// before:  %a = reshape(x=%x, shape=[1, 4])   %b = add(x=%a, y=0)   %c = relu(x=%b)
// after:   %c = relu(x=%x)                     (%x has the shape [1, 4] already)
// only if: no number changes, and an output of the function keeps its name
// why:     frontends write them, and other passes leave them
#include "anemone/ir/rewrite.h"
#include "anemone/passes/all_are.h"
#include "anemone/passes/pass.h"

namespace anemone::passes {
namespace {

bool is_identity_order(const Dims& perm) {
  for (std::size_t i = 0; i < perm.size(); ++i) {
    if (perm[i] != static_cast<std::int64_t>(i)) return false;
  }
  return true;
}

bool has_number(const Node& node, std::string_view type, double number) {
  const auto with = with_number(&node, type);
  return with && with->number == number;
}

// The operand that the node gives back unchanged, or null.
Value* what_it_returns(const Node& node) {
  if (node.outputs.size() != 1 || !node.def || node.def->is(kEffect)) return nullptr;
  const ConstantView view(node);
  if (const Operand* values = node.operand("values"); values && node.type == "concat")
    return values->values.size() == 1 ? values->values[0] : nullptr;
  const bool sum = has_number(node, "add", 0), product = has_number(node, "mul", 1);
  if (sum || product) {
    Value* x = with_number(&node, node.type)->x;
    return x->type == node.output()->type ? x : nullptr;
  }
  Value* x = node.input("x");
  if (!x || x->type != node.output()->type) return nullptr;
  if (node.type == "identity" || node.type == "cast") return x;
  if (has_number(node, "sub", 0) || has_number(node, "real_div", 1) || has_number(node, "pow", 1)) return x;
  if (node.type == "transpose")
    return payload(node.input("perm")) && is_identity_order(view.ints("perm")) ? x : nullptr;
  if (!x->type.is_fixed()) return nullptr;
  if (node.def->is(kView) || node.type == "slice_by_size" || node.type == "tile") return x;
  if (node.type == "pad") return payload(node.input("pad")) && all_are(view.ints("pad"), 0) ? x : nullptr;
  if (node.type != "slice_by_index") return nullptr;
  const bool forwards = !node.input("stride") || (payload(node.input("stride")) && all_are(view.ints("stride"), 1));
  return forwards ? x : nullptr;  // as long as before, so all of it
}

}  // namespace

Result<bool> noop_elimination(Block& block, PassContext& context) {
  bool changed = false;
  for (auto at = block.nodes.begin(); at != block.nodes.end();) {
    Node& node = *at++;
    Value* x = what_it_returns(node);
    if (!x) continue;
    if (!replace_with(node, *x)) {
      context.remark(node, "kept: it gives an output its name");
      continue;
    }
    context.count("operations removed");
    changed = true;
  }
  return changed;
}

}  // namespace anemone::passes
