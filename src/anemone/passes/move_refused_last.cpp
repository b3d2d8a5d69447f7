// Puts last what the engine refuses and nothing that it takes depends on.
// before:  %y = concat(…)     %a = conv(…)   %z = concat(…)              (the concats are refused)
// after:   %a = conv(…)       %y = concat(…)   %z = concat(…)
// only if: the order of operations with effects stays
// why:     the system places operations in the order in which they stand: one that is refused in between costs two changes
//          of unit, or drags what follows along (ANE023)
#include <algorithm>
#include <unordered_set>
#include <vector>

#include "anemone/passes/pass.h"

namespace anemone::passes {

Result<bool> move_refused_last(Block& block, PassContext& context) {
  if (block.parent()) return false;
  std::unordered_set<const Node*> late;
  const auto only_late_users = [&](const std::unique_ptr<Value>& output) {
    return std::all_of(output->uses.begin(), output->uses.end(),
                       [&](const Use& use) { return late.contains(use.node); });
  };
  std::vector<Node*> moved;  // last first
  bool is_tail = true;
  for (auto at = block.nodes.rbegin(); at != block.nodes.rend(); ++at) {
    Node& node = *at;
    const bool refused = !is(node, kEffect | kConstexpr) && node.blocks.empty() && !context.taken(node);
    if (!refused || !std::all_of(node.outputs.begin(), node.outputs.end(), only_late_users)) {
      is_tail = false;
      continue;
    }
    late.insert(&node);
    if (!is_tail) moved.push_back(&node);
  }
  // In front of what already stands last, to which they may contribute.
  auto tail = block.nodes.end();
  while (tail != block.nodes.begin() && late.contains(&*std::prev(tail))) --tail;
  for (const Node* node : moved) {
    block.nodes.splice(tail, block.nodes, node->position());
    tail = node->position();
  }
  if (!moved.empty()) context.count("operations moved", moved.size());
  return !moved.empty();
}

}  // namespace anemone::passes
