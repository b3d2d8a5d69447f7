// Folds constants that scale or shift each channel into the convolution before them.
// before:  %y = conv(x, W, b)   %z = mul(x=%y, y=k)          (add, sub, real_div likewise; k: a number, or one a channel)
// after:   %z = conv(x, W·k, b·k)
// only if: the weights are plain constants and nobody else reads %y
// why:     one operation and one rounding less; exporters write a bias or a folded batch norm as arithmetic
#include "anemone/ir/op_def.h"
#include "anemone/ir/rewrite.h"
#include "anemone/passes/conv_affine.h"
#include "anemone/passes/pass.h"

namespace anemone::passes {

Result<bool> fuse_conv_scale(Block& block, PassContext& context) {
  bool changed = false;
  for (auto at = block.nodes.begin(); at != block.nodes.end();) {
    Node& node = *at++;
    const auto step = affine_step(node);
    if (!step) continue;
    std::string why;
    Node* conv = foldable_conv(step->x, node, why);
    if (!conv) continue;
    fold_into_conv(*conv, step->affine, node);
    context.count("scales and shifts folded");
    changed = true;
  }
  return changed;
}

}  // namespace anemone::passes
