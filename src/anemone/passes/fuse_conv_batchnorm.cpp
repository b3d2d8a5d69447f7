// Folds a batch norm into the convolution before it.
// before:  %y = conv(x, W, b)   %z = batch_norm(%y, mean, variance, gamma, beta, epsilon)
// after:   %z = conv(x, W·k, (b - mean)·k + beta)   with k = gamma / sqrt(variance + epsilon), per output channel
// only if: weights and statistics are plain constants and nobody else reads %y
// why:     one operation and one rounding less; the numbers are computed in double and rounded once
#include <cmath>

#include "anemone/ir/op_def.h"
#include "anemone/ir/rewrite.h"
#include "anemone/passes/conv_affine.h"
#include "anemone/passes/pass.h"

namespace anemone::passes {
namespace {

// The batch norm as an affine map, if its statistics are known.
std::optional<Affine> affine_of(const Node& norm, std::int64_t channels) {
  if (!have_payloads(norm, {"mean", "variance", "gamma", "beta", "epsilon"})) return std::nullopt;
  const auto values = [&](std::string_view param, double fallback) {
    const Constant* c = norm.constant(param);
    return c ? to_doubles(*c) : std::vector<double>(static_cast<std::size_t>(channels), fallback);
  };
  const std::vector<double> mean = values("mean", 0), variance = values("variance", 1), gamma = values("gamma", 1),
                            beta = values("beta", 0);
  const double epsilon = ConstantView(norm).number("epsilon");
  Affine affine;
  for (std::size_t c = 0; c < static_cast<std::size_t>(channels); ++c) {
    const double k = gamma[c] / std::sqrt(variance[c] + epsilon);
    affine.scale.push_back(k);
    affine.shift.push_back(beta[c] - mean[c] * k);
  }
  return affine;
}

}  // namespace

Result<bool> fuse_conv_batchnorm(Block& block, PassContext& context) {
  bool changed = false;
  for (auto at = block.nodes.begin(); at != block.nodes.end();) {
    Node& norm = *at++;
    if (norm.type != "batch_norm") continue;
    std::string why;
    Node* conv = foldable_conv(norm.input("x"), norm, why);
    if (!why.empty()) context.remark(norm, "kept: " + why);
    if (!conv) continue;
    const auto affine = affine_of(norm, channels_of(*conv));
    if (!affine) continue;
    fold_into_conv(*conv, *affine, norm);
    context.count("batch norms folded");
    changed = true;
  }
  return changed;
}

}  // namespace anemone::passes
