// Removes what no output needs.
// before:  %a = relu(x=%x)   %b = sigmoid(x=%x)   -> (%b)
// after:   %b = sigmoid(x=%x)                      -> (%b)
// only if: the operation has no effect of its own (write_state has)
// why:     outputs that were not selected, and what other passes leave behind
#include "anemone/passes/pass.h"

namespace anemone::passes {
namespace {

// Operations without outputs exist for their effect; so does a block that holds one.
bool has_effect(const Node& node) {
  if (node.outputs.empty() || (node.def && node.def->is(kEffect))) return true;
  for (const auto& block : node.blocks) {
    for (const Node& nested : block->nodes) {
      if (has_effect(nested)) return true;
    }
  }
  return false;
}

bool is_used(const Node& node) {
  for (const auto& output : node.outputs) {
    if (output->is_used()) return true;
  }
  return false;
}

}  // namespace

Result<bool> dead_code_elimination(Block& block, PassContext& context) {
  bool changed = false;
  for (auto at = block.nodes.end(); at != block.nodes.begin();) {
    Node& node = *--at;
    if (is_used(node) || has_effect(node)) continue;
    ++at;
    block.erase(node);
    context.count("operations removed");
    changed = true;
  }
  for (auto at = block.constants.begin(); at != block.constants.end();) {
    Value& constant = **at++;
    if (constant.is_used()) continue;
    // A literal stands nowhere in the text but at its use: without one it is gone from the program already.
    changed |= !constant.is_inline;
    block.erase_constant(constant);
    context.count("constants removed");
  }
  return changed;
}

}  // namespace anemone::passes
