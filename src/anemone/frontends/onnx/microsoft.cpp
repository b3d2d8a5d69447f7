// What ONNX Runtime saves after its own rewrites, and operations that ONNX had before opset 1.
#include <fmt/format.h>

#include <cmath>

#include "anemone/frontends/onnx/fused.h"

namespace anemone::onnx {

MilValue* activation_by_name(Emit& emit, MilValue* x, std::string_view name, const std::vector<float>& parameters) {
  const auto parameter = [&](std::size_t i, double fallback) {
    return emit.number(x, i < parameters.size() ? static_cast<double>(parameters[i]) : fallback);
  };
  const auto two = [&](std::string_view op, double alpha, double beta) {
    return emit.add(op, {{"x", x}, {"alpha", parameter(0, alpha)}, {"beta", parameter(1, beta)}});
  };
  if (name.empty() || name == "Identity") return x;
  if (name == "Relu") return emit.add("relu", {{"x", x}});
  if (name == "Sigmoid") return emit.add("sigmoid", {{"x", x}});
  if (name == "Tanh") return emit.add("tanh", {{"x", x}});
  if (name == "Softplus") return emit.add("softplus", {{"x", x}});
  if (name == "Softsign") return emit.add("softsign", {{"x", x}});
  if (name == "LeakyRelu") return emit.add("leaky_relu", {{"x", x}, {"alpha", parameter(0, 0.01)}});
  if (name == "Elu") return emit.add("elu", {{"x", x}, {"alpha", parameter(0, 1)}});
  if (name == "HardSigmoid") return two("sigmoid_hard", 0.2, 0.5);
  if (name == "ScaledTanh") return two("scaled_tanh", 1, 1);
  if (name == "Affine") return two("linear_activation", 1, 0);
  if (name == "Clip") {
    const double low = parameters.empty() ? -INFINITY : static_cast<double>(parameters[0]),
                 high = parameters.size() < 2 ? INFINITY : static_cast<double>(parameters[1]);
    if (std::isfinite(low)) x = emit.add("maximum", {{"x", x}, {"y", emit.number(x, low)}});
    if (std::isfinite(high)) x = emit.add("minimum", {{"x", x}, {"y", emit.number(x, high)}});
    return x;
  }
  Call::refuse(fmt::format("the activation '{}'", name));
}

namespace {

MilValue* activated(Call& c, MilValue* y) {
  return activation_by_name(c.emit(), y, c.text("activation", ""), c.floats("activation_params"));
}

// Conv + Z (where there is a fourth input), then an activation.
void lower_fused_conv(Call& c) {
  MilValue* y = conv_value(c);
  c.give(activated(c, c.has(3) ? c.emit().add2(y, c.in(3)) : y));
}
void lower_fused_gemm(Call& c) {
  std::vector<float> parameters;
  for (const char* name : {"activation_alpha", "activation_beta", "activation_gamma"}) {
    if (c.has_attribute(name)) parameters.push_back(static_cast<float>(c.number(name, 0)));
  }
  c.give(activation_by_name(c.emit(), gemm_value(c), c.text("activation", ""), parameters));
}

MilValue* transposed_last_two(Emit& emit, MilValue* x) {
  Dims perm;
  for (std::size_t d = 0; d < x->type.dims.size(); ++d) perm.push_back(static_cast<std::int64_t>(d));
  std::swap(perm[perm.size() - 1], perm[perm.size() - 2]);
  return emit.transpose(x, perm);
}
void lower_fused_matmul(Call& c) {
  Emit& emit = c.emit();
  if (c.flag("transBatchA", false) || c.flag("transBatchB", false)) Call::refuse("transposed batches");
  MilValue* x = c.flag("transA", false) && c.rank(0) > 1 ? transposed_last_two(emit, c.in(0)) : c.in(0);
  MilValue* y = c.flag("transB", false) && c.rank(1) > 1 ? transposed_last_two(emit, c.in(1)) : c.in(1);
  c.give(emit.mul(emit.add("matmul", {{"x", x}, {"y", y}}), c.number("alpha", 1)));
}

void gelu(Call& c, const char* mode) {
  MilValue* x = c.real(0);
  if (c.has(1)) x = c.emit().add2(x, c.in(1));  // BiasGelu
  c.give(c.emit().add("gelu", {{"x", x}, {"mode", mode}}));
}
void lower_gelu(Call& c) { gelu(c, "EXACT"); }
void lower_fast_gelu(Call& c) { gelu(c, "TANH_APPROXIMATION"); }
void lower_quick_gelu(Call& c) {
  MilValue* x = c.real(0);
  c.give(c.emit().mul(x, c.emit().add("sigmoid", {{"x", c.emit().mul(x, c.number("alpha", 1.702))}})));
}

// The sum of input, skip and bias, normalised over the last dimension.
void lower_skip_layer_normalization(Call& c) {
  Emit& emit = c.emit();
  MilValue* sum = emit.add2(c.in(0), c.in(1));
  if (c.has(4)) sum = emit.add2(sum, c.in(4));
  MilValue* normal =
      emit.add("layer_norm", {{"x", sum}, {"axes", {-1}}, {"epsilon", emit.number(sum, c.number("epsilon", 1e-12))}});
  normal = emit.mul(normal, c.in(2));
  c.give(0, c.has(3) ? emit.add2(normal, c.in(3)) : normal);
  for (std::size_t i = 1; i < 3; ++i) {
    if (c.wants(i)) Call::refuse("the mean or the deviation as an output");
  }
  c.give(3, sum);
}

// scale · x + bias, one bias a channel.
void lower_image_scaler(Call& c) {
  Emit& emit = c.emit();
  MilValue* x = emit.mul(c.in(0), c.number("scale", 1));
  const std::vector<float> bias = c.floats("bias");
  if (bias.empty()) return c.give(x);
  const ConstantPtr channels = make_constant(x->type.dtype, {static_cast<std::int64_t>(bias.size()), 1, 1},
                                             std::vector<double>(bias.begin(), bias.end()));
  c.give(emit.add2(x, emit.constant(channels)));
}
void lower_affine(Call& c) { c.give(c.emit().add2(c.emit().mul(c.in(0), c.number("alpha", 1)), c.number("beta", 0))); }
void lower_scaled_tanh(Call& c) {
  Emit& emit = c.emit();
  MilValue* x = c.real(0);
  c.give(emit.add(
      "scaled_tanh",
      {{"x", x}, {"alpha", emit.number(x, c.number("alpha", 1))}, {"beta", emit.number(x, c.number("beta", 1))}}));
}
void lower_parametric_softplus(Call& c) {
  Emit& emit = c.emit();
  MilValue* x = emit.mul(c.real(0), c.number("beta", 1));
  c.give(emit.mul(emit.add("softplus", {{"x", x}}), c.number("alpha", 1)));
}

constexpr std::string_view kMicrosoft = "com.microsoft";
constexpr Row kRows[] = {
    {"FusedConv", 1, lower_fused_conv, {}, kMicrosoft},
    {"FusedGemm", 1, lower_fused_gemm, {}, kMicrosoft},
    {"FusedMatMul", 1, lower_fused_matmul, "transposed batches", kMicrosoft},
    {"TransposeMatMul", 1, lower_fused_matmul, "transposed batches", kMicrosoft},
    {"Gelu", 1, lower_gelu, {}, kMicrosoft},
    {"BiasGelu", 1, lower_gelu, {}, kMicrosoft},
    {"FastGelu", 1, lower_fast_gelu, {}, kMicrosoft},
    {"QuickGelu", 1, lower_quick_gelu, {}, kMicrosoft},
    {"SkipLayerNormalization", 1, lower_skip_layer_normalization, "mean and deviation as outputs", kMicrosoft},
    {"ImageScaler", 1, lower_image_scaler},
    {"Affine", 1, lower_affine},
    {"ScaledTanh", 1, lower_scaled_tanh},
    {"ParametricSoftplus", 1, lower_parametric_softplus},
};

}  // namespace

std::span<const Row> microsoft_lowerings() { return kRows; }

}  // namespace anemone::onnx
