// From the end to the beginning, so that what only a removed operation used goes too.
#include "anemone/ir/sweep.h"

#include <algorithm>

#include "anemone/ir/op_def.h"

namespace anemone {
namespace {

// Operations without outputs exist for their effect; so does a block that holds one.
bool has_effect(const Node& node) {
  if (node.outputs.empty() || (node.def && node.def->is(kEffect))) return true;
  for (const auto& block : node.blocks) {
    if (std::any_of(block->nodes.begin(), block->nodes.end(), has_effect)) return true;
  }
  return false;
}

bool is_used(const Node& node) {
  return std::any_of(node.outputs.begin(), node.outputs.end(), [](const auto& output) { return output->is_used(); });
}

}  // namespace

Swept sweep(Block& block) {
  Swept swept;
  for (auto at = block.nodes.end(); at != block.nodes.begin();) {
    Node& node = *--at;
    if (is_used(node) || has_effect(node)) continue;
    ++at;
    block.erase(node);
    ++swept.nodes;
  }
  swept.changed = swept.nodes > 0;
  for (auto at = block.constants.begin(); at != block.constants.end();) {
    Value& constant = **at++;
    if (constant.is_used()) continue;
    // A literal stands nowhere in the text but at its use: without one it is gone from the program already.
    swept.changed |= !constant.is_inline;
    block.erase_constant(constant);
    ++swept.constants;
  }
  return swept;
}

}  // namespace anemone
