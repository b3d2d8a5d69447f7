// Folds a batch norm into the convolution after it, also through a relu.
// before:  %n = batch_norm(x=%x, …)   %r = relu(x=%n)                    %y = conv(x=%r, W, b)
// after:                              %m = maximum(x=%x, y=-t/s)         %y = conv(x=%m, W·s, b + W·t)
//          with s = gamma / sqrt(variance + epsilon), t = beta - mean·s: relu(s·x + t) is s·max(x, -t/s) + t where s > 0
// only if: the convolution does not pad (zeros are not what the norm makes of them), the weights are plain, nobody else
//          reads what lies between, and it is cheaper; through a relu, each s is positive and no number so far out that
//          half precision would lose digits by it
// why:     one pass over memory less. Networks that normalise before they convolve are full of such pairs
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "anemone/ir/rewrite.h"
#include "anemone/ir/trial.h"
#include "anemone/passes/conv_affine.h"
#include "anemone/passes/made_for.h"
#include "anemone/passes/pass.h"
#include "anemone/passes/pointwise.h"
#include "anemone/passes/until_stable.h"

namespace anemone::passes {
namespace {

// Scales and thresholds that leave a weight its digits, and the sum of many its range.
constexpr double kMost = 64, kLeast = 1 / kMost, kLargestWeight = 8192;

// Why the relu cannot be passed; empty when it can.
std::string obstacle(const Affine& norm) {
  for (std::size_t c = 0; c < norm.scale.size(); ++c) {
    const double s = norm.scale[c], t = norm.shift[c];
    if (s >= kLeast && s <= kMost && std::abs(t / s) <= kMost) continue;
    return fmt::format("kept: its channel {} is scaled by {:.3g} and shifted by {:.3g}", c, s, t);
  }
  return {};
}

// What the convolution's weight and bias become for the result of the norm as its input.
struct Folded {
  ConstantPtr weight, bias;
  bool fits = true;
};

Folded fold(const Node& conv, const Affine& norm) {
  const Constant& weight = *conv.constant("weight");
  const Dims& dims = weight.type.dims;
  std::vector<double> w = to_doubles(weight), bias(static_cast<std::size_t>(dims[0]), 0);
  if (const Constant* old = conv.constant("bias")) bias = to_doubles(*old);
  const std::size_t taps = w.size() / static_cast<std::size_t>(dims[0] * dims[1]);
  const std::int64_t rows_a_group = dims[0] / ConstantView(conv).integer("groups");
  Folded folded;
  std::size_t at = 0;
  for (std::int64_t o = 0; o < dims[0]; ++o) {
    double& sum = bias[static_cast<std::size_t>(o)];
    for (std::int64_t i = 0; i < dims[1]; ++i) {
      const auto channel = static_cast<std::size_t>(o / rows_a_group * dims[1] + i);
      for (std::size_t tap = 0; tap < taps; ++tap, ++at) {
        sum += w[at] * norm.shift[channel];
        w[at] *= norm.scale[channel];
        folded.fits = folded.fits && std::abs(w[at]) <= kLargestWeight;
      }
    }
    folded.fits = folded.fits && std::abs(sum) <= kLargestWeight;
  }
  folded.weight = make_constant(weight.type.dtype, dims, std::span<const double>(w));
  folded.bias = make_constant(weight.type.dtype, {dims[0]}, std::span<const double>(bias));
  return folded;
}

Value* rectified(Builder& builder, Value* x, const Affine& norm) {
  if (std::all_of(norm.shift.begin(), norm.shift.end(), [](double t) { return t == 0; }))
    return builder.add("relu", {{"x", x}});
  std::vector<double> thresholds;
  for (std::size_t c = 0; c < norm.scale.size(); ++c) thresholds.push_back(-norm.shift[c] / norm.scale[c]);
  Dims dims(x->type.dims.size(), 1);
  dims[1] = static_cast<std::int64_t>(thresholds.size());
  const ConstantPtr constant = make_constant(x->type.dtype, dims, std::span<const double>(thresholds));
  return builder.add("maximum", {{"x", x}, {"y", constant}});
}

bool fuse(Node& conv, PassContext& context) {
  const Node* relu = made_for(conv.input("x"), "relu", conv);
  const Node& reader = relu ? *relu : conv;
  Node* norm = made_for(reader.input("x"), "batch_norm", reader);
  if (!norm || channels_of(*norm) < 1 || !has_plain_weights(conv)) return false;
  const auto affine = affine_of_norm(*norm, channels_of(*norm));
  if (!affine) return false;
  if (!is_unpadded(conv)) {
    context.remark(*norm, "kept: the convolution after it pads with zeros");
    return false;
  }
  if (const std::string why = relu ? obstacle(*affine) : std::string(); !why.empty()) {
    context.remark(*norm, why);
    return false;
  }
  const Folded folded = fold(conv, *affine);
  if (!folded.fits) {
    context.remark(*norm, "kept: the convolution's weights would become too large");
    return false;
  }
  Trial trial(conv);
  Value* x = relu ? rectified(trial.builder(), norm->input("x"), *affine) : norm->input("x");
  Value* y = trial.builder().add_like(conv, {{"x", x}, {"weight", folded.weight}, {"bias", folded.bias}});
  trial.replace(*conv.output(), *y);
  if (trial.keep_if_cheaper(context.costs())) {
    context.count(relu ? "batch norms folded through a relu" : "batch norms folded");
    return true;
  }
  context.remark(conv, "kept: without the batch norm before it, it would cost more");
  return false;
}

}  // namespace

Result<bool> fuse_batchnorm_conv(Block& block, PassContext& context) {
  return until_stable([&] {
    bool changed = false;
    for (auto at = block.nodes.begin(); at != block.nodes.end();) {
      Node& node = *at++;
      if (node.type == "conv") changed |= fuse(node, context);
    }
    return changed;
  });
}

}  // namespace anemone::passes
