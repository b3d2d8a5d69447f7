// Folds a batch norm into the convolution before it.
// before:  %y = conv(x, W, b)   %z = batch_norm(%y, mean, variance, gamma, beta, epsilon)
// after:   %z = conv(x, W·k, (b - mean)·k + beta)   with k = gamma / sqrt(variance + epsilon), per output channel
// only if: weights and statistics are plain constants and nobody else reads %y
// why:     one operation and one rounding less; the numbers are computed in double and rounded once
#include <cmath>

#include "anemone/ir/builder.h"
#include "anemone/ir/rewrite.h"
#include "anemone/passes/pass.h"

namespace anemone::passes {
namespace {

struct Affine {
  std::vector<double> scale, shift;  // y = x·scale + shift, per channel
};

// The batch norm as an affine map, if its statistics are known.
std::optional<Affine> affine_of(const Node& norm, std::int64_t channels) {
  for (std::string_view param : {"mean", "variance", "gamma", "beta", "epsilon"}) {
    if (norm.input(param) && !payload(norm.input(param))) return std::nullopt;
  }
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
  return make_constant(weight.type.dtype, dims, std::span<const float>(values));
}

}  // namespace

Result<bool> fuse_conv_batchnorm(Block& block, PassContext& context) {
  bool changed = false;
  for (auto at = block.nodes.begin(); at != block.nodes.end();) {
    Node& norm = *at++;
    if (norm.type != "batch_norm") continue;
    Value* x = norm.input("x");
    Node* conv = producer(x, kConvolution);
    if (!conv || !same_block(*conv, norm)) continue;
    if (!x->has_single_use()) {
      context.remark(norm, "kept: the convolution has other users");
      continue;
    }
    const Value* weight = conv->input("weight");
    const Value* bias = conv->input("bias");
    if (!is_plain(weight) || (bias && !is_plain(bias)) || x->type.dims.size() < 2 || x->type.dims[1] < 1) {
      context.remark(norm, "kept: the convolution's weights are not plain constants");
      continue;
    }
    const std::int64_t channels = x->type.dims[1];
    const auto affine = affine_of(norm, channels);
    if (!affine) continue;
    std::vector<double> shift = affine->shift;
    if (bias) {
      const std::vector<double> old = to_doubles(*bias->constant);
      for (std::size_t c = 0; c < shift.size(); ++c) shift[c] += old[c] * affine->scale[c];
    }
    Function& function = block.function();
    const std::int64_t groups = ConstantView(*conv).integer("groups");
    conv->set("weight", block.add_constant(
                            function.unique_name(weight->name + "_folded"),
                            scaled_weight(*weight->constant, affine->scale, conv->type == "conv_transpose", groups)));
    conv->set("bias",
              block.add_constant(function.unique_name(norm.output()->name + "_bias"),
                                 make_constant(weight->type.dtype, {channels}, std::span<const double>(shift))));
    replace_with(norm, *x);  // the result keeps the batch norm's name: people look for it
    context.count("batch norms folded");
    changed = true;
  }
  return changed;
}

}  // namespace anemone::passes
