// Output channels are axis 0 of the weight of conv, and per group axis 1 of that of conv_transpose.
#include "anemone/passes/conv_affine.h"

#include <cmath>

#include "anemone/ir/op_def.h"
#include "anemone/ir/rewrite.h"

namespace anemone::passes {
namespace {

bool is_plain(const Value* value) { return payload(value) && is_float(value->type.dtype); }

// The weight with every output channel multiplied by its scale. Output channels are axis 0 of conv's weight
// [Cout, Cin/groups, …] and, per group, axis 1 of conv_transpose's [Cin, Cout/groups, …].
ConstantPtr scaled_weight(const Constant& weight, const std::vector<double>& scale, bool transposed,
                          std::int64_t groups) {
  std::vector<float> values = to_floats(weight);
  const Dims& dims = weight.type.dims;
  const std::int64_t inner = *element_count(std::span(dims).subspan(2));
  for (std::int64_t i = 0; i < dims[0]; ++i) {
    const std::int64_t group = transposed ? i / (dims[0] / groups) : 0;
    for (std::int64_t j = 0; j < dims[1]; ++j) {
      const double k = scale[static_cast<std::size_t>(transposed ? group * dims[1] + j : i)];
      float* at = values.data() + (i * dims[1] + j) * inner;
      for (std::int64_t e = 0; e < inner; ++e) at[e] = static_cast<float>(at[e] * k);
    }
  }
  if (weight.type.dtype != DType::fp32) return make_constant(weight.type.dtype, dims, std::span<const float>(values));
  const auto owner = std::make_shared<const std::vector<float>>(std::move(values));  // as they are: not copied again
  return make_constant(weight.type, Bytes{owner, std::as_bytes(std::span(*owner))});
}

// One number a channel from a plain constant that broadcasts over [N, C, …]; nothing when it differs along another axis.
std::optional<std::vector<double>> by_channel(const Value* value, std::int64_t channels, std::int64_t rank) {
  const Constant* constant = payload(value);
  if (!constant || !constant->type.is_tensor() || !is_float(constant->type.dtype) || constant->type.rank() > rank)
    return std::nullopt;
  const std::int64_t channel_axis = constant->type.rank() - (rank - 1);  // of the constant; axis 1 of the result
  for (std::int64_t axis = 0; axis < constant->type.rank(); ++axis) {
    if (axis != channel_axis && constant->type.dims[static_cast<std::size_t>(axis)] != 1) return std::nullopt;
  }
  std::vector<double> values = to_doubles(*constant);
  if (values.size() == 1) values.resize(static_cast<std::size_t>(channels), values[0]);
  return values.size() == static_cast<std::size_t>(channels) ? std::optional(values) : std::nullopt;
}

// y ∘ k as y·scale + shift; k ∘ y where the constant is on the left.
std::optional<Affine> affine_of(std::string_view type, const std::vector<double>& k, bool constant_left) {
  Affine a{std::vector<double>(k.size(), 1), std::vector<double>(k.size(), 0)};
  for (std::size_t c = 0; c < k.size(); ++c) {
    if (type == "mul") a.scale[c] = k[c];
    if (type == "add" || type == "sub") a.shift[c] = type == "sub" && !constant_left ? -k[c] : k[c];
    if (type == "sub" && constant_left) a.scale[c] = -1;
    if (type == "real_div") a.scale[c] = 1 / k[c];
    if (type == "real_div" && (constant_left || k[c] == 0)) return std::nullopt;
  }
  return a;
}

}  // namespace

std::optional<AffineStep> affine_step(const Node& node) {
  if (node.type != "mul" && node.type != "add" && node.type != "sub" && node.type != "real_div") return std::nullopt;
  const bool constant_left = node.constant("x") != nullptr;
  Value* x = node.input(constant_left ? "y" : "x");
  if (!x || x->type != node.output()->type || !x->type.ranked || channels_of(node) < 1) return std::nullopt;
  const auto k = by_channel(node.input(constant_left ? "x" : "y"), channels_of(node), x->type.rank());
  auto affine = k ? affine_of(node.type, *k, constant_left) : std::nullopt;
  if (!affine) return std::nullopt;
  return AffineStep{x, *std::move(affine)};
}

std::optional<Affine> affine_of_norm(const Node& norm, std::int64_t channels) {
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

Node* foldable_conv(Value* value, const Node& reader, std::string& why) {
  Node* conv = producer(value, kConvolution);
  if (!conv || !same_block(*conv, reader)) return nullptr;
  const Value* weight = conv->input("weight");
  const Value* bias = conv->input("bias");
  if (!value->has_single_use()) {
    why = "the convolution has other users";
  } else if (!is_plain(weight) || (bias && !is_plain(bias)) || channels_of(*conv) < 1) {
    why = "the convolution's weights are not plain constants";
  }
  return why.empty() ? conv : nullptr;
}

std::int64_t channels_of(const Node& conv) {
  const Dims& dims = conv.output()->type.dims;
  return dims.size() < 2 ? -1 : dims[1];
}

void fold_into_conv(Node& conv, const Affine& affine, Node& after) {
  Block& block = conv.block();
  Function& function = block.function();
  const Value* weight = conv.input("weight");
  std::vector<double> shift = affine.shift;
  if (const Constant* bias = conv.constant("bias")) {
    const std::vector<double> old = to_doubles(*bias);
    for (std::size_t c = 0; c < shift.size(); ++c) shift[c] += old[c] * affine.scale[c];
  }
  const DType dtype = weight->type.dtype;
  const auto channels = static_cast<std::int64_t>(shift.size());
  const std::int64_t groups = ConstantView(conv).integer("groups");
  conv.set("weight",
           block.add_constant(function.unique_name(weight->name + "_folded"),
                              scaled_weight(*weight->constant, affine.scale, conv.type == "conv_transpose", groups)));
  conv.set("bias", block.add_constant(function.unique_name(after.output()->name + "_bias"),
                                      make_constant(dtype, {channels}, std::span<const double>(shift))));
  replace_with(after, *conv.output());  // the result keeps the name that people look for
}

}  // namespace anemone::passes
