// conv, with the batch norm before it, and the batch norm, addition and activation behind it; conv_transpose.
#include <algorithm>

#include "anemone/ops/window.h"
#include "anemone/runtime/batch_norm.h"
#include "anemone/runtime/cpu/half_sums.h"
#include "anemone/runtime/epilogue.h"
#include "anemone/runtime/kernel_util.h"

namespace anemone::runtime {
namespace {

// Operands of both kernels, in this order.
enum ConvOperand : std::size_t { kX, kWeight, kBias, kScale, kShift, kAdd, kOut };

const Kernel kConv{"conv2d", [](const Bound& b) {
                     const auto& p = get<ConvParameters>(b);
                     cpu::Epilogue epilogue = p.epilogue;
                     epilogue.add = b.in(kAdd);
                     cpu::conv2d(p.form, b.in(kWeight), b.in(kBias), b.in(kX), p.batch, p.height, p.width, b.out(kOut),
                                 b.pool, epilogue, {b.in(kScale), b.in(kShift), p.relu_before});
                   }};

const Kernel kTransformWeights{"transform_weights", [](const Bound& b) {
                                 cpu::transform_weights(get<ConvParameters>(b).form, b.in(0), b.out(1), b.pool);
                               }};

const Kernel kConvHalfSums{"conv2d", [](const Bound& b) {
                             const auto& p = get<ConvParameters>(b);
                             cpu::conv2d_half_sums(p.form.params, b.in(kWeight), b.in(kBias), b.in(kX), p.batch,
                                                   p.height, p.width, b.out(kOut), b.pool);
                           }};

std::string_view name(cpu::ConvAlgorithm algorithm) {
  switch (algorithm) {
    case cpu::ConvAlgorithm::gemm:
      break;
    case cpu::ConvAlgorithm::depthwise:
      return "depthwise";
    case cpu::ConvAlgorithm::winograd:
      return "winograd";
  }
  return "gemm";
}

Dims spatial_part(const Dims& dims) { return Dims(dims.begin() + 2, dims.end()); }

cpu::ConvParams params_of(const Node& node, const ops::Window& w) {
  const Dims &x = node.input("x")->type.dims, &out = node.output()->type.dims;
  cpu::ConvParams p;
  p.in_channels = x[1];
  p.out_channels = out[1];
  p.groups = ConstantView(node).integer("groups");
  // The last dimension is the width; a 1-D convolution has no height.
  const std::size_t i = w.in.size() - 1;
  p.kernel_width = w.kernel[i];
  p.stride_width = w.strides[i];
  p.dilation_width = w.dilations[i];
  p.pad_left = w.before[i];
  p.pad_right = w.after[i];
  if (i == 0) return p;
  p.kernel_height = w.kernel[0];
  p.stride_height = w.strides[0];
  p.dilation_height = w.dilations[0];
  p.pad_top = w.before[0];
  p.pad_bottom = w.after[0];
  return p;
}

/// Weights and bias of a convolution as floats.
struct Weights {
  std::vector<float> kernel, bias;  ///< bias may be empty
};

Result<Weights> weights_of(const Group& g, const Planner& p) {
  Weights weights;
  TRY(weights.kernel, p.known_floats(g.node->input("weight")));
  TRY(weights.bias, p.known_floats(g.node->input("bias")));
  if (!g.norm_after) return weights;
  TRY(const ChannelAffine affine, affine_of(*g.norm_after, p));
  const std::size_t channels = affine.scale.size(), depth = weights.kernel.size() / channels;
  weights.bias.resize(channels, 0.0f);
  for (std::size_t c = 0; c < channels; ++c) {
    const double scale = affine.scale[c];
    for (std::size_t i = 0; i < depth; ++i) {
      float& w = weights.kernel[c * depth + i];
      w = static_cast<float>(w * scale);
    }
    weights.bias[c] = static_cast<float>(weights.bias[c] * scale + affine.shift[c]);
  }
  return weights;
}

/// The call of a convolution of `from` [batch, channels, height, width] with these weights, and what the group adds.
Result<void> add_conv(const Group& g, Planner& p, const Ref& from, ConvParameters parameters, const Weights& weights) {
  Call call;
  parameters.epilogue = epilogue_of(g, p.graph());
  parameters.relu_before = g.relu_before != nullptr;
  Ref weight, bias, scale, shift;
  if (p.graph().half_sums(g.out())) {
    call.kernel = &kConvHalfSums;
    call.algorithm = "half sums";
    weight = p.constant(weights.kernel);
    if (!weights.bias.empty()) bias = p.constant(weights.bias);
  } else {
    const cpu::ConvParams& c = parameters.form.params;
    const std::int64_t height = c.out_height(parameters.height), width = c.out_width(parameters.width);
    cpu::ConvAlgorithm algorithm = cpu::fastest_algorithm(c, height, width);
    // What is rounded to half is rounded from the nearest sum that there is.
    if (parameters.epilogue.round_half && algorithm == cpu::ConvAlgorithm::winograd) {
      algorithm = cpu::ConvAlgorithm::gemm;
    }
    cpu::PackedConv packed =
        cpu::pack_conv(c, weights.kernel.data(), weights.bias.empty() ? nullptr : weights.bias.data(), algorithm);
    parameters.form = packed.form;
    call.kernel = &kConv;
    call.algorithm = name(packed.form.algorithm);
    weight = p.constant(std::move(packed.weights));
    if (packed.form.algorithm == cpu::ConvAlgorithm::winograd) {
      const Ref transformed = p.scratch(cpu::transformed_count(packed.form));
      p.add_part(g.out(), {.kernel = &kTransformWeights,
                           .algorithm = call.algorithm,
                           .parameters = parameters,
                           .operands = {read("weight", weight), write("out", transformed)}});
      weight = transformed;
    }
    bias = p.constant(std::move(packed.bias));
  }
  if (g.norm_before) {
    TRY(ChannelAffine affine, affine_of(*g.norm_before, p));
    scale = p.constant(std::move(affine.scale));
    shift = p.constant(std::move(affine.shift));
  }
  TRY(const Ref add, p.read_maybe(g.summand()));
  call.parameters = parameters;
  call.operands = {
      read("x", from),  read("weight", weight),         read("bias", bias), read("scale", scale), read("shift", shift),
      read("add", add), write("out", p.define(g.out()))};
  call.macs = g.node->def->macs(*g.node);
  if (g.add && g.node->type == "conv") call.overwrites = {kAdd};
  p.add(g.out(), Rounding::exact, std::move(call));
  return {};
}

bool is_flat(const Node& node) {
  const std::int64_t rank = node.input("x")->type.rank();
  return rank == 3 || rank == 4;
}
bool covers_conv(const Node& node, const GraphView&) { return is_flat(node); }

Result<void> plan_conv(const Group& g, Planner& p) {
  const Value& x = g.in();
  const Dims& in = x.type.dims;
  const ConstantView v(*g.node);
  const ops::Window window = ops::conv_window(v, spatial_part(in), spatial_part(g.node->input("weight")->type.dims));
  ConvParameters parameters;
  parameters.form.params = params_of(*g.node, window);
  parameters.batch = in[0];
  parameters.height = in.size() == 4 ? in[2] : 1;
  parameters.width = in.back();
  TRY(const Weights weights, weights_of(g, p));
  TRY(const Ref from, p.read(x));
  return add_conv(g, p, from, parameters, weights);
}

/// The weights of the convolution that a transposed one becomes: taps turned around, and per group inputs and outputs
/// exchanged. From [Cin, Cout/groups, taps] to [Cout, Cin/groups, taps].
std::vector<float> turned(const std::vector<float>& from, std::int64_t in, std::int64_t out, std::int64_t groups) {
  std::vector<float> to(from.size());
  const std::int64_t in_group = in / groups, out_group = out / groups;
  const std::int64_t taps = static_cast<std::int64_t>(from.size()) / (in * out_group);
  for (std::int64_t o = 0; o < out; ++o) {
    for (std::int64_t i = 0; i < in_group; ++i) {
      const float* f = from.data() + ((o / out_group * in_group + i) * out_group + o % out_group) * taps;
      std::reverse_copy(f, f + taps, to.data() + (o * in_group + i) * taps);
    }
  }
  return to;
}

/// A transposed convolution as a direct one over its input spread out.
struct Spread {
  ops::Window window, direct;
  Dims dims;  ///< of the spread input
};
std::optional<Spread> spread_of(const Node& node) {
  const Dims &in = node.input("x")->type.dims, &out = node.output()->type.dims;
  Spread s;
  s.window =
      ops::conv_transpose_window(ConstantView(node), spatial_part(in), spatial_part(node.input("weight")->type.dims));
  s.direct = s.window;
  s.dims = in;
  for (std::size_t d = 0; d < s.window.in.size(); ++d) {
    // Margins of the spread input: what the kernel reaches over, less what is cut off. Cutting more than the kernel
    // reaches, or an output larger than the full result, is left to reference execution.
    const std::int64_t reach = s.window.span(d) - 1;
    s.direct.strides[d] = 1;
    s.dims[d + 2] = (s.window.in[d] - 1) * s.window.strides[d] + 1;
    s.direct.before[d] = reach - s.window.before[d];
    s.direct.after[d] = out[d + 2] + reach - s.dims[d + 2] - s.direct.before[d];
    if (s.direct.before[d] < 0 || s.direct.after[d] < 0) return std::nullopt;
  }
  if (count_of(s.dims) == 0) return std::nullopt;  // overflows
  return s;
}
bool covers_conv_transpose(const Node& node, const GraphView&) { return is_flat(node) && spread_of(node); }

/// The input with stride - 1 zeros between its elements and margins around, then a convolution with the taps turned
/// around: several times the work of the shortest way, and far from reference execution.
Result<void> plan_conv_transpose(const Group& g, Planner& p) {
  const Dims& in = g.in().type.dims;
  const Spread spread = *spread_of(*g.node);
  ConvParameters parameters;
  parameters.form.params = params_of(*g.node, spread.direct);
  parameters.batch = in[0];
  parameters.height = in.size() == 4 ? spread.dims[2] : 1;
  parameters.width = spread.dims.back();
  TRY(Weights weights, weights_of(g, p));
  const cpu::ConvParams& c = parameters.form.params;
  weights.kernel = turned(weights.kernel, c.in_channels, c.out_channels, c.groups);
  TRY(const Ref from, p.read(g.in()));
  const Ref wide = p.scratch(count_of(spread.dims));
  Dims strides = row_major_strides(spread.dims);
  for (std::size_t d = 0; d < spread.window.in.size(); ++d) strides[d + 2] *= spread.window.strides[d];
  p.add_part(g.out(),
             {.kernel = &kCopyKernel,
              .parameters = CopyParameters{{{.shape = in, .from = row_major_strides(in), .to = strides}}, true},
              .operands = {read("x", from), write("out", wide)}});
  return add_conv(g, p, wide, parameters, weights);
}

constexpr KernelRow kRows[] = {
    {.type = "conv", .plan = plan_conv, .covers = covers_conv, .fuses = Fuses::tail, .takes_norms = true},
    {.type = "conv_transpose", .plan = plan_conv_transpose, .covers = covers_conv_transpose, .fuses = Fuses::tail}};

}  // namespace

std::span<const KernelRow> conv_kernels() { return kRows; }

}  // namespace anemone::runtime
