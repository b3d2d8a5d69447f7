// Makes one padding of two.
// before:  %a = pad(x=%x, pad=[0,0, 0,0, 1,1, 0,0], mode="constant")   %b = pad(x=%a, pad=[0,0, 0,0, 0,0, 2,2], mode="constant")
// after:   %b = pad(x=%x, pad=[0,0, 0,0, 1,1, 2,2], mode="constant")
// only if: both pad with the same number, and nobody else reads %a
// why:     a copy of the tensor less; frontends pad one axis at a time
#include "anemone/ir/builder.h"
#include "anemone/ir/rewrite.h"
#include "anemone/passes/pass.h"

namespace anemone::passes {
namespace {

bool is_plain_pad(const Node& node) {
  return node.type == "pad" && have_payloads(node, {"pad", "constant_val"}) && node.output()->type.ranked &&
         ConstantView(node).text("mode") == "constant";
}

// For all dimensions; the parameter names the last ones only.
Dims margins(const Node& pad) {
  Dims all = ConstantView(pad).ints("pad");
  all.insert(all.begin(), 2 * pad.output()->type.dims.size() - all.size(), 0);
  return all;
}

}  // namespace

Result<bool> merge_consecutive_paddings(Block& block, PassContext& context) {
  bool changed = false;
  for (Node& outer : block.nodes) {
    Node* inner = is_plain_pad(outer) ? producer(outer.input("x"), "pad") : nullptr;
    if (!inner || !is_plain_pad(*inner) || only_user(inner->output()) != &outer || !same_block(*inner, outer)) continue;
    if (ConstantView(outer).number("constant_val") != ConstantView(*inner).number("constant_val")) continue;
    Dims both = margins(outer);
    const Dims first = margins(*inner);
    for (std::size_t i = 0; i < both.size(); ++i) both[i] += first[i];
    Builder(outer).bind(outer, {{"x", inner->input("x")}, {"pad", both}});
    block.erase(*inner);
    context.count("paddings merged");
    changed = true;
  }
  return changed;
}

}  // namespace anemone::passes
