// Makes one transpose of two, or none.
// before:  %a = transpose(x=%x, perm=[0, 3, 1, 2])   %b = transpose(x=%a, perm=[0, 2, 3, 1])   %c = relu(x=%b)
// after:   %c = relu(x=%x)
// only if: both orders are known now
// why:     networks that were exported with channels last are full of such pairs
#include "anemone/ir/builder.h"
#include "anemone/ir/rewrite.h"
#include "anemone/passes/pass.h"

namespace anemone::passes {
namespace {

Dims order_of(const Node& transpose) {
  Dims perm = ConstantView(transpose).ints("perm");
  for (std::int64_t& axis : perm) axis += axis < 0 ? static_cast<std::int64_t>(perm.size()) : 0;
  return perm;
}

}  // namespace

Result<bool> merge_consecutive_transposes(Block& block, PassContext& context) {
  bool changed = false;
  for (auto at = block.nodes.begin(); at != block.nodes.end();) {
    Node& second = *at++;
    Node* first = second.type == "transpose" ? producer(second.input("x"), "transpose") : nullptr;
    if (!first || !payload(first->input("perm")) || !payload(second.input("perm"))) continue;
    Value* x = first->input("x");
    const Dims inner = order_of(*first), outer = order_of(second);
    Dims both;
    bool nothing = true;
    for (std::size_t i = 0; i < outer.size(); ++i) {
      both.push_back(inner[static_cast<std::size_t>(outer[i])]);
      nothing = nothing && both[i] == static_cast<std::int64_t>(i);
    }
    if (nothing && x->type == second.output()->type && replace_with(second, *x)) {
      context.count("transposes cancelled", 2);
    } else {
      Builder(second).bind(second, {{"x", x}, {"perm", both}});
      context.count("transposes merged");
    }
    if (!first->output()->is_used()) first->block().erase(*first);
    changed = true;
  }
  return changed;
}

}  // namespace anemone::passes
