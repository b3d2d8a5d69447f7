// Sums over the op table's figures.
#include "anemone/toolchain/work.h"

#include "anemone/ir/op_def.h"

namespace anemone {

std::int64_t total_macs(const Function& function) {
  std::int64_t total = 0;
  for_each_node(function.body, [&](const Node& node) {
    if (node.def && node.def->macs) total += node.def->macs(node);
  });
  return total;
}

}  // namespace anemone
