// Activations and softmax.
#include <array>
#include <numbers>

#include "anemone/backends/onnx/rows.h"

namespace anemone::onnx::exporting {
namespace {

constexpr char kRelu[] = "Relu", kSigmoid[] = "Sigmoid", kTanh[] = "Tanh", kSoftsign[] = "Softsign",
               kSoftplus[] = "Softplus", kLeakyRelu[] = "LeakyRelu", kElu[] = "Elu";

template <const char* Op>
Result<void> plain(Emit& e) {
  return e.give(Op, {e.in("x")});
}
template <const char* Op>
Result<void> with_alpha(Emit& e) {
  return e.give(Op, {e.in("x")}, {attr("alpha", e.number("alpha"))});
}

Result<void> relu6(Emit& e) { return e.give("Clip", {e.in("x"), e.literal(0), e.literal(6)}); }

Result<void> prelu(Emit& e) { return e.give("PRelu", {e.in("x"), e.per_channel("alpha", e.rank())}); }

Result<void> clamped_relu(Emit& e) {
  Value* leaky = e.make("LeakyRelu", {e.in("x")}, {attr("alpha", e.number("alpha"))});
  return e.give("Min", {leaky, e.literal(e.number("beta"))});
}

// Not ThresholdedRelu, which gives 0 where x is alpha.
Result<void> thresholded_relu(Emit& e) {
  Value* reached = e.make("GreaterOrEqual", {e.in("x"), e.literal(e.number("alpha"))});
  return e.give("Where", {reached, e.in("x"), e.literal(0)});
}

Result<void> sigmoid_hard(Emit& e) {
  return e.give("HardSigmoid", {e.in("x")}, {attr("alpha", e.number("alpha")), attr("beta", e.number("beta"))});
}

Result<void> scaled_tanh(Emit& e) {
  Value* scaled = e.make("Mul", {e.in("x"), e.literal(e.number("beta"))});
  return e.give("Mul", {e.make("Tanh", {scaled}), e.literal(e.number("alpha"))});
}

Result<void> linear_activation(Emit& e) {
  Value* scaled = e.make("Mul", {e.in("x"), e.literal(e.number("alpha"))});
  return e.give("Add", {scaled, e.literal(e.number("beta"))});
}

Result<void> softplus_parametric(Emit& e) {
  Value* scaled = e.make("Mul", {e.in("x"), e.per_channel("beta", e.rank())});
  return e.give("Mul", {e.make("Softplus", {scaled}), e.per_channel("alpha", e.rank())});
}

Result<void> silu(Emit& e) { return e.give("Mul", {e.in("x"), e.make("Sigmoid", {e.in("x")})}); }

Result<void> gelu(Emit& e) {
  Value* x = e.in("x");
  const std::string mode = e.text("mode");
  if (mode == "SIGMOID_APPROXIMATION")
    return e.give("Mul", {x, e.make("Sigmoid", {e.make("Mul", {x, e.literal(1.702)})})});
  const bool exact = mode == "EXACT";
  if (e.opset() >= 20) return e.give("Gelu", {x}, {attr("approximate", std::string(exact ? "none" : "tanh"))});
  Value* bent = nullptr;
  if (exact) {
    bent = e.make("Erf", {e.make("Div", {x, e.literal(std::numbers::sqrt2)})});
  } else {
    Value* cube = e.make("Mul", {e.make("Mul", {e.make("Mul", {x, x}), x}), e.literal(0.044715)});
    const double factor = std::numbers::sqrt2 * std::numbers::inv_sqrtpi;
    bent = e.make("Tanh", {e.make("Mul", {e.make("Add", {x, cube}), e.literal(factor)})});
  }
  return e.give("Mul", {e.make("Mul", {x, e.make("Add", {bent, e.literal(1)})}), e.literal(0.5)});
}

Result<void> softmax(Emit& e) { return e.give("Softmax", {e.in("x")}, {attr("axis", e.axis("axis", e.rank()))}); }

constexpr std::array kRows = {
    RaiseRow{"relu", plain<kRelu>, "Relu"},
    RaiseRow{"relu6", relu6, "Clip"},
    RaiseRow{"leaky_relu", with_alpha<kLeakyRelu>, "LeakyRelu"},
    RaiseRow{"prelu", prelu, "PRelu"},
    RaiseRow{"clamped_relu", clamped_relu, "LeakyRelu, Min"},
    RaiseRow{"thresholded_relu", thresholded_relu, "GreaterOrEqual, Where"},
    RaiseRow{"sigmoid", plain<kSigmoid>, "Sigmoid"},
    RaiseRow{"tanh", plain<kTanh>, "Tanh"},
    RaiseRow{"softsign", plain<kSoftsign>, "Softsign"},
    RaiseRow{"sigmoid_hard", sigmoid_hard, "HardSigmoid"},
    RaiseRow{"scaled_tanh", scaled_tanh, "Mul, Tanh"},
    RaiseRow{"linear_activation", linear_activation, "Mul, Add"},
    RaiseRow{"softplus", plain<kSoftplus>, "Softplus"},
    RaiseRow{"softplus_parametric", softplus_parametric, "Mul, Softplus"},
    RaiseRow{"silu", silu, "Sigmoid, Mul"},
    RaiseRow{"gelu", gelu, "Gelu; before opset 20 Erf or Tanh with Mul and Add"},
    RaiseRow{"elu", with_alpha<kElu>, "Elu"},
    RaiseRow{"softmax", softmax, "Softmax"},
};

}  // namespace

std::span<const RaiseRow> raise_activation() { return kRows; }

}  // namespace anemone::onnx::exporting
