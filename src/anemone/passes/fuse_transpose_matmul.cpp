// Lets a matrix product turn its operands itself.
// before:  %t = transpose(x=%b, perm=[0, 2, 1])   %y = matmul(x=%a, y=%t)
// after:   %y = matmul(x=%a, y=%b, transpose_y=true)
// only if: the last two axes change places and no others
// why:     one copy of the tensor less
#include "anemone/ir/builder.h"
#include "anemone/ir/rewrite.h"
#include "anemone/passes/pass.h"

namespace anemone::passes {
namespace {

bool turns_a_matrix(const Node& transpose) {
  if (!payload(transpose.input("perm"))) return false;
  Dims perm = ConstantView(transpose).ints("perm");
  const auto rank = static_cast<std::int64_t>(perm.size());
  if (rank < 2) return false;
  for (std::int64_t& axis : perm) axis += axis < 0 ? rank : 0;
  std::swap(perm[perm.size() - 1], perm[perm.size() - 2]);
  for (std::int64_t i = 0; i < rank; ++i) {
    if (perm[static_cast<std::size_t>(i)] != i) return false;
  }
  return true;
}

}  // namespace

Result<bool> fuse_transpose_matmul(Block& block, PassContext& context) {
  bool changed = false;
  for (Node& node : block.nodes) {
    if (node.type != "matmul" || !have_payloads(node, {"transpose_x", "transpose_y"})) continue;
    for (const auto& [side, flag] : {std::pair("x", "transpose_x"), std::pair("y", "transpose_y")}) {
      Node* transpose = producer(node.input(side), "transpose");
      if (!transpose || !turns_a_matrix(*transpose)) continue;
      Builder(node).bind(node, {{side, transpose->input("x")}, {flag, !ConstantView(node).flag(flag)}});
      if (!transpose->output()->is_used()) transpose->block().erase(*transpose);
      context.count("transposes fused");
      changed = true;
    }
  }
  return changed;
}

}  // namespace anemone::passes
