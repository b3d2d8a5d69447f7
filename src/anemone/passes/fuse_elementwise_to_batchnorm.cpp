// Makes one batch norm of constants that scale and shift each channel.
// before:  %a = add(x=%x, y=-127.5)   %y = mul(x=%a, y=k)             (sub and real_div likewise; one number, or one a channel)
// after:   %y = batch_norm(x=%x, mean=127.5, variance=1, gamma=k, epsilon=0)
// only if: %x is [N, C, H, W], nobody else reads what lies between, its dtype holds the numbers, and it is cheaper
// why:     sums and products of whole tensors are the dearest passes over memory that there are; an image's scale and
//          bias are two of them. A shift that comes first stays a mean: an image's is exact there
#include <algorithm>
#include <cmath>

#include "anemone/ir/rewrite.h"
#include "anemone/ir/trial.h"
#include "anemone/passes/conv_affine.h"
#include "anemone/passes/pass.h"
#include "anemone/passes/until_stable.h"

namespace anemone::passes {
namespace {

// (x - mean)·gamma + beta of one channel.
struct Norm {
  double mean = 0, gamma = 1, beta = 0;
  void then(double scale, double shift) {
    if (gamma == 1 && beta == 0 && scale == 1) {
      mean -= shift;
      return;
    }
    gamma *= scale;
    beta = beta * scale + shift;
  }
};

bool is_inner(const Node& node) {
  const Node* user = only_user(node.output());
  const auto step = user && same_block(*user, node) ? affine_step(*user) : std::nullopt;
  return step && step->x == node.output();
}

// From the last of a chain to what the first one takes.
std::vector<AffineStep> chain_to(const Node& last) {
  std::vector<AffineStep> steps;
  for (const Node* node = &last; node;) {
    auto step = affine_step(*node);
    if (!step) break;
    const Node* before = step->x->producer;
    steps.push_back(*std::move(step));
    node = before && only_user(before->output()) == node && same_block(*before, last) ? before : nullptr;
  }
  std::reverse(steps.begin(), steps.end());
  return steps;
}

bool fuse(Node& last, PassContext& context) {
  constexpr double kLargestHalf = 65504;
  const std::vector<AffineStep> steps = chain_to(last);
  const DType dtype = last.output()->type.dtype;
  std::vector<double> mean, gamma, beta;
  for (std::size_t c = 0; c < steps[0].affine.scale.size(); ++c) {
    Norm norm;
    for (const AffineStep& step : steps) norm.then(step.affine.scale[c], step.affine.shift[c]);
    for (const double number : {norm.mean, norm.gamma, norm.beta}) {
      if (std::isfinite(number) && (dtype != DType::fp16 || std::abs(number) <= kLargestHalf)) continue;
      context.remark(last, "kept: its numbers do not fit into the dtype");
      return false;
    }
    mean.push_back(norm.mean);
    gamma.push_back(norm.gamma);
    beta.push_back(norm.beta);
  }
  const auto channels = static_cast<std::int64_t>(mean.size());
  const auto constant = [&](const std::vector<double>& values) {
    return Argument(make_constant(dtype, {channels}, std::span<const double>(values)));
  };
  const bool shifts = std::any_of(beta.begin(), beta.end(), [](double b) { return b != 0; });
  Trial trial(last);
  Value* y = trial.builder().add("batch_norm", {{"x", steps[0].x},
                                                {"mean", constant(mean)},
                                                {"variance", constant(std::vector<double>(mean.size(), 1))},
                                                {"gamma", constant(gamma)},
                                                {"beta", shifts ? constant(beta) : Argument(std::vector<Value*>{})},
                                                {"epsilon", make_scalar(dtype, 0)}});
  trial.replace(*last.output(), *y);
  if (!trial.keep_if_cheaper(context.costs())) return false;
  context.count("scales and shifts fused", steps.size());
  return true;
}

}  // namespace

Result<bool> fuse_elementwise_to_batchnorm(Block& block, PassContext& context) {
  return until_stable([&] {
    constexpr std::int64_t kRank = 4;
    bool changed = false;
    for (auto at = block.nodes.begin(); at != block.nodes.end();) {
      Node& node = *at++;
      if (node.outputs.size() != 1 || !node.output()->type.is_tensor() || node.output()->type.rank() != kRank) continue;
      if (!affine_step(node) || is_inner(node)) continue;
      changed |= fuse(node, context);
    }
    return changed;
  });
}

}  // namespace anemone::passes
