// Folds a batch norm into the convolution before it.
// before:  %y = conv(x, W, b)   %z = batch_norm(%y, mean, variance, gamma, beta, epsilon)
// after:   %z = conv(x, W·k, (b - mean)·k + beta)   with k = gamma / sqrt(variance + epsilon), per output channel
// only if: weights and statistics are plain constants and nobody else reads %y
// why:     one operation and one rounding less; the numbers are computed in double and rounded once
#include "anemone/ir/op_def.h"
#include "anemone/ir/rewrite.h"
#include "anemone/passes/conv_affine.h"
#include "anemone/passes/pass.h"

namespace anemone::passes {

Result<bool> fuse_conv_batchnorm(Block& block, PassContext& context) {
  bool changed = false;
  for (auto at = block.nodes.begin(); at != block.nodes.end();) {
    Node& norm = *at++;
    if (norm.type != "batch_norm") continue;
    std::string why;
    Node* conv = foldable_conv(norm.input("x"), norm, why);
    if (!why.empty()) context.remark(norm, "kept: " + why);
    if (!conv) continue;
    const auto affine = affine_of_norm(norm, channels_of(*conv));
    if (!affine) continue;
    fold_into_conv(*conv, *affine, norm);
    context.count("batch norms folded");
    changed = true;
  }
  return changed;
}

}  // namespace anemone::passes
