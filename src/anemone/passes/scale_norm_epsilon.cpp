// Lifts the epsilon of a norm into fp16's normal range by scaling what the norm takes.
// before:  %y = conv(x, W, b)        %z = instance_norm(%y, epsilon=1e-5)
// after:   %y = conv(x, 4·W, 4·b)    %z = instance_norm(%y, epsilon=16e-5)
// only if: the epsilon is positive and below 6.1e-5, the weights are plain constants, nobody else reads %y
// why:     a norm's result does not change when its input is scaled and its epsilon by the square of that; an epsilon
//          below the normal range is flushed to zero by some engines (ANE031). Powers of two are exact in fp16.
#include <cmath>

#include "anemone/ir/builder.h"
#include "anemone/ir/rewrite.h"
#include "anemone/passes/pass.h"

namespace anemone::passes {
namespace {

constexpr double kLeastNormal = 6.103515625e-05, kMostScaled = 8192;  // an eighth of fp16's largest: sums stay finite

bool fits(const Value* value, double scale) {
  if (!value) return true;
  const Constant* constant = payload(value);
  if (!constant || !is_float(value->type.dtype)) return false;
  for (const float v : to_floats(*constant)) {
    if (!(std::abs(v * scale) <= kMostScaled)) return false;
  }
  return true;
}

ConstantPtr scaled(const Value& value, double scale) {
  const Constant& constant = *payload(&value);
  std::vector<float> values = to_floats(constant);
  for (float& v : values) v = static_cast<float>(v * scale);
  return make_constant(constant.type.dtype, constant.type.dims, std::span<const float>(values));
}

}  // namespace

Result<bool> scale_norm_epsilon(Block& block, PassContext& context) {
  bool changed = false;
  for (Node& norm : block.nodes) {
    if (norm.type != "instance_norm" || !payload(norm.input("epsilon"))) continue;
    const double epsilon = ConstantView(norm).number("epsilon");
    if (!(epsilon > 0) || epsilon >= kLeastNormal) continue;
    Node* conv = producer(norm.input("x"), kConvolution);
    if (!conv || !same_block(*conv, norm) || only_user(conv->output()) != &norm) {
      context.remark(norm, "kept: its input is not a convolution's alone");
      continue;
    }
    double scale = 2;
    while (epsilon * scale * scale < kLeastNormal) scale *= 2;
    Value *weight = conv->input("weight"), *bias = conv->input("bias");
    if (!fits(weight, scale) || !fits(bias, scale)) {
      context.remark(norm, "kept: the convolution's weights are not plain constants, or too large");
      continue;
    }
    Builder weights(*conv);
    conv->set("weight", weights.constant(scaled(*weight, scale), weight->name + "_scaled"));
    if (bias) conv->set("bias", weights.constant(scaled(*bias, scale), bias->name + "_scaled"));
    Builder builder(norm);
    const DType dtype = norm.input("epsilon")->type.dtype;
    norm.set("epsilon", builder.scalar(dtype, epsilon * scale * scale, norm.input("epsilon")->name));
    context.count("epsilons lifted");
    changed = true;
  }
  return changed;
}

}  // namespace anemone::passes
