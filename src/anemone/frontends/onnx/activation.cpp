// Nonlinearities of one operand.
#include <cmath>

#include "anemone/frontends/onnx/lowering.h"

namespace anemone::onnx {
namespace {

MilValue* unary(Call& c, std::string_view op, MilValue* x) { return c.emit().add(op, {{"x", x}}); }

void lower_relu(Call& c) {
  MilValue* x = c.in(0);
  if (is_float(x->type.dtype)) return c.give(unary(c, "relu", x));
  c.give(c.emit().add("maximum", {{"x", x}, {"y", c.emit().number(x, 0)}}));
}
void lower_sigmoid(Call& c) { c.give(unary(c, "sigmoid", c.real(0))); }
void lower_tanh(Call& c) { c.give(unary(c, "tanh", c.real(0))); }
void lower_softplus(Call& c) { c.give(unary(c, "softplus", c.real(0))); }
void lower_softsign(Call& c) { c.give(unary(c, "softsign", c.real(0))); }

MilValue* with_alpha(Call& c, std::string_view op, MilValue* x, double alpha) {
  return c.emit().add(op, {{"x", x}, {"alpha", c.emit().number(x, alpha)}});
}
MilValue* hard_sigmoid(Call& c, MilValue* x, double alpha, double beta) {
  return c.emit().add("sigmoid_hard",
                      {{"x", x}, {"alpha", c.emit().number(x, alpha)}, {"beta", c.emit().number(x, beta)}});
}
void lower_leaky_relu(Call& c) { c.give(with_alpha(c, "leaky_relu", c.real(0), c.number("alpha", 0.01))); }
void lower_elu(Call& c) { c.give(with_alpha(c, "elu", c.real(0), c.number("alpha", 1))); }
void lower_selu(Call& c) {
  const double alpha = c.number("alpha", 1.6732632423543772), gamma = c.number("gamma", 1.0507009873554805);
  c.give(c.emit().mul(with_alpha(c, "elu", c.real(0), alpha), gamma));
}
// max(0, x) + min(0, alpha·(e^(x/alpha) − 1))
void lower_celu(Call& c) {
  const double alpha = c.number("alpha", 1);
  c.give(c.emit().mul(with_alpha(c, "elu", c.emit().mul(c.real(0), 1 / alpha), 1), alpha));
}
void lower_hard_sigmoid(Call& c) { c.give(hard_sigmoid(c, c.real(0), c.number("alpha", 0.2), c.number("beta", 0.5))); }
void lower_hard_swish(Call& c) {
  MilValue* x = c.real(0);
  c.give(c.emit().mul(x, hard_sigmoid(c, x, 1.0 / 6, 0.5)));
}
void lower_swish(Call& c) {
  MilValue* x = c.real(0);
  const double alpha = c.number("alpha", 1);
  c.give(alpha == 1 ? unary(c, "silu", x) : c.emit().mul(x, unary(c, "sigmoid", c.emit().mul(x, alpha))));
}
void lower_mish(Call& c) {
  MilValue* x = c.real(0);
  c.give(c.emit().mul(x, unary(c, "tanh", unary(c, "softplus", x))));
}
void lower_gelu(Call& c) {
  const bool tanh = c.text("approximate", "none") == "tanh";
  c.give(c.emit().add("gelu", {{"x", c.real(0)}, {"mode", tanh ? "TANH_APPROXIMATION" : "EXACT"}}));
}
// x > alpha ? x : 0. (MIL's operation keeps x = alpha.)
void lower_thresholded_relu(Call& c) {
  Emit& emit = c.emit();
  MilValue* x = c.real(0);
  MilValue* passes = emit.add("greater", {{"x", x}, {"y", emit.number(x, c.number("alpha", 1))}});
  c.give(emit.add("select", {{"cond", passes}, {"a", x}, {"b", emit.number(x, 0)}}));
}
void lower_shrink(Call& c) {
  Emit& emit = c.emit();
  MilValue* x = c.real(0);
  const double lambda = c.number("lambd", 0.5), bias = c.number("bias", 0);
  MilValue* below = emit.add("less", {{"x", x}, {"y", emit.number(x, -lambda)}});
  MilValue* above = emit.add("greater", {{"x", x}, {"y", emit.number(x, lambda)}});
  MilValue* upper = emit.add("select", {{"cond", above}, {"a", emit.add2(x, -bias)}, {"b", emit.number(x, 0)}});
  c.give(emit.add("select", {{"cond", below}, {"a", emit.add2(x, bias)}, {"b", upper}}));
}

// x < 0 ? slope·x : x
void lower_prelu(Call& c) {
  Emit& emit = c.emit();
  MilValue* x = c.real(0);
  MilValue* slope = c.real(1);
  const Dims& dims = c.dims(0);
  Dims slopes = c.dims(1);
  const std::int64_t channels = dims.size() > 1 ? dims[1] : 0;
  if (c.opset() < 7 && slopes.size() == 1 && slopes[0] == channels &&
      dims.size() > 2) {  // of channels, whatever the rank
    slopes.resize(dims.size() - 1, 1);
    slope = c.emit().reshape(slope, slopes);
  }
  // One slope a channel: [C, 1, …], counted from the right as every broadcast.
  const bool by_channel = dims.size() >= 3 && dims.size() <= 5 && slopes.size() == dims.size() - 1 &&
                          slopes[0] == channels && count_of(slopes) == channels;
  const ConstantPtr known = c.known(1);
  if (known && count_of(slopes) == 1 && slopes.size() <= dims.size())
    return c.give(with_alpha(c, "leaky_relu", x, scalar(*known)));
  if (known && by_channel && dims.size() == 4)
    return c.give(emit.add("prelu", {{"x", x}, {"alpha", emit.reshape(emit.constant(known), {channels})}}));
  MilValue* negative = emit.add("minimum", {{"x", x}, {"y", emit.number(x, 0)}});
  c.give(emit.add2(emit.add("relu", {{"x", x}}), emit.mul(slope, negative)));
}

MilValue* bounded(Emit& emit, MilValue* x, MilValue* low, MilValue* high) {
  if (low) x = emit.add("maximum", {{"x", x}, {"y", low}});
  if (high) x = emit.add("minimum", {{"x", x}, {"y", high}});
  return x;
}
MilValue* bounded(Emit& emit, MilValue* x, double low, double high) {
  if (low == 0 && high == 6) return emit.add("relu6", {{"x", x}});
  if (low == 0 && std::isinf(high)) return emit.add("relu", {{"x", x}});
  if (std::isfinite(low) && std::isfinite(high) && low < high)
    return emit.add("clip", {{"x", x}, {"alpha", emit.number(x, low)}, {"beta", emit.number(x, high)}});
  return bounded(emit, x, std::isinf(low) ? nullptr : emit.constant(emit.number(x, low)),
                 std::isinf(high) ? nullptr : emit.constant(emit.number(x, high)));
}
double finite_or_infinite(double bound) {
  return std::fabs(bound) >= 3.402823e38 ? std::copysign(INFINITY, bound) : bound;
}

void lower_clip_attributes(Call& c) {
  c.give(bounded(c.emit(), c.real(0), finite_or_infinite(c.number("min", -INFINITY)),
                 finite_or_infinite(c.number("max", INFINITY))));
}
void lower_clip(Call& c) {
  Emit& emit = c.emit();
  MilValue* x = c.in(0);
  const ConstantPtr low = c.known(1), high = c.known(2);
  if (is_float(x->type.dtype) && (low || !c.has(1)) && (high || !c.has(2))) {
    return c.give(bounded(emit, x, low ? finite_or_infinite(scalar(*low)) : -INFINITY,
                          high ? finite_or_infinite(scalar(*high)) : INFINITY));
  }
  c.give(bounded(emit, x, c.has(1) ? c.in(1) : nullptr, c.has(2) ? c.in(2) : nullptr));
}

constexpr Row kRows[] = {
    {"Relu", 1, lower_relu},
    {"Sigmoid", 1, lower_sigmoid},
    {"Tanh", 1, lower_tanh},
    {"Softplus", 1, lower_softplus},
    {"Softsign", 1, lower_softsign},
    {"LeakyRelu", 1, lower_leaky_relu},
    {"Elu", 1, lower_elu},
    {"Selu", 1, lower_selu},
    {"Celu", 12, lower_celu},
    {"HardSigmoid", 1, lower_hard_sigmoid},
    {"HardSwish", 14, lower_hard_swish},
    {"Swish", 24, lower_swish},
    {"Mish", 18, lower_mish},
    {"Gelu", 20, lower_gelu},
    {"ThresholdedRelu", 1, lower_thresholded_relu},
    {"Shrink", 9, lower_shrink},
    {"PRelu", 1, lower_prelu},
    {"Clip", 1, lower_clip_attributes},
    {"Clip", 11, lower_clip},
};

}  // namespace

std::span<const Row> activation_lowerings() { return kRows; }

}  // namespace anemone::onnx
