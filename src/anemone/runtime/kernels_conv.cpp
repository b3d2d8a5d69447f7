// conv, with the batch norm before it, and the batch norm, addition and activation behind it; conv_transpose.
#include <algorithm>
#include <memory>

#include "anemone/ops/window.h"
#include "anemone/runtime/cpu/conv.h"
#include "anemone/runtime/cpu/half_sums.h"
#include "anemone/runtime/cpu/move.h"
#include "anemone/runtime/kernel_table.h"

namespace anemone::runtime {

using namespace cpu;
namespace {

Dims spatial_part(const Dims& dims) { return Dims(dims.begin() + 2, dims.end()); }

/// A call of conv2d that is complete but for its pointers.
struct ConvCallPlan {
  ConvParams params;
  PackedConv conv;
  std::vector<float> half_weights, half_bias;  ///< instead of `conv`, for sums in half precision
  ChannelAffine before;                        ///< empty: no prologue
  Prologue prologue;
  Epilogue epilogue;
  std::int64_t batch = 1, height = 1, width = 1;  ///< of the input
  std::size_t bytes() const {
    return (conv.weights.size() + conv.bias.size() + before.scale.size() + before.shift.size() + half_weights.size() +
            half_bias.size()) *
           sizeof(float);
  }
  void run(Frame& f, const Ref& from, const Ref& add, const Ref& to) const {
    if (!half_weights.empty()) {
      conv2d_half_sums(params, half_weights.data(), half_bias.empty() ? nullptr : half_bias.data(), f.read(from), batch,
                       height, width, f.write(to), *f.pool);
      return;
    }
    Epilogue complete = epilogue;
    if (add.space != Ref::Space::none) complete.add = f.read(add);
    conv2d(conv, f.read(from), batch, height, width, f.write(to), *f.pool, complete, prologue);
  }
};

ConvParams params_of(const Node& node, const ops::Window& w) {
  const Dims &x = node.input("x")->type.dims, &out = node.output()->type.dims;
  ConvParams p;
  p.in_channels = x[1];
  p.out_channels = out[1];
  p.groups = ConstantView(node).integer("groups", 1);
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

/// A batch norm behind the convolution goes into its weights; only where nothing is rounded between the two.
Result<const Node*> absorb_norm(const Node& conv, Weights& weights, Lowering& l) {
  const Value& out = *conv.output();
  const Node* norm = l.fuses() && !l.rounds(out) ? l.only_user(out) : nullptr;
  if (!norm || norm->type != "batch_norm" || norm->input("x") != &out || norm->output()->type != out.type ||
      !l.suits_kernels(*norm)) {
    return nullptr;
  }
  TRY(const ChannelAffine affine, affine_of(*norm, l));
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
  l.absorb(*norm);
  return norm;
}

Result<Weights> weights_of(const Node& node, Lowering& l) {
  Weights weights;
  TRY(weights.kernel, l.known_floats(node.input("weight")));
  TRY(weights.bias, l.known_floats(node.input("bias")));
  return weights;
}

void pack(ConvCallPlan& plan, Weights weights, bool half_sums) {
  if (half_sums) {
    plan.half_weights = std::move(weights.kernel);
    plan.half_bias = std::move(weights.bias);
  } else {
    plan.conv = pack_conv(plan.params, weights.kernel.data(), weights.bias.empty() ? nullptr : weights.bias.data());
  }
}

Result<bool> lower_conv(const Node& node, Lowering& l) {
  if (!conv_is_covered(node, l)) return false;
  const Value* x = node.input("x");
  const Dims& in = x->type.dims;
  const ops::Window window =
      ops::conv_window(ConstantView(node), spatial_part(in), spatial_part(node.input("weight")->type.dims));
  auto plan = std::make_shared<ConvCallPlan>();
  plan->params = params_of(node, window);
  plan->batch = in[0];
  plan->height = in.size() == 4 ? in[2] : 1;
  plan->width = in.back();
  std::string types;
  if (const DelayedNorm* delayed = l.delayed(*x)) {
    TRY(plan->before, affine_of(*delayed->norm, l));
    plan->prologue = {plan->before.scale.data(), plan->before.shift.data(), delayed->relu != nullptr};
    l.absorb(*delayed->norm);
    if (delayed->relu) l.absorb(*delayed->relu);
    x = delayed->norm->input("x");
    types = delayed->relu ? "batch_norm+relu+" : "batch_norm+";
  }
  types += "conv";
  TRY(Weights weights, weights_of(node, l));
  TRY(const Node* norm, absorb_norm(node, weights, l));
  if (norm) types += "+batch_norm";
  const Tail tail = absorb_tail(norm ? *norm->output() : *node.output(), l);
  plan->epilogue = tail.epilogue;
  pack(*plan, std::move(weights), l.half_sums(*tail.out));
  l.count_constant_bytes(plan->bytes());

  TRY(const Ref from, l.read(*x));
  Ref add;
  if (tail.add) {
    TRY(add, l.read(*tail.add));
  }
  const Ref to = tail.add ? l.define_over(*tail.out, {tail.add}, false) : l.define(*tail.out);
  std::vector<Ref> reads{from};
  if (tail.add) reads.push_back(add);
  l.add(
      types + tail.types, *tail.out, to, std::move(reads), Rounding::exact,
      [plan, from, add, to](Frame& f) { plan->run(f, from, add, to); }, node.def->macs(node));
  return true;
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

/// The input with stride - 1 zeros between its elements and margins around, then a convolution with the taps turned
/// around: several times the work of the shortest way, and far from reference execution.
Result<bool> lower_conv_transpose(const Node& node, Lowering& l) {
  const Value* x = node.input("x");
  const Dims &in = x->type.dims, &out = node.output()->type.dims;
  if (in.size() != 3 && in.size() != 4) return false;
  const ops::Window w =
      ops::conv_transpose_window(ConstantView(node), spatial_part(in), spatial_part(node.input("weight")->type.dims));
  ops::Window direct = w;
  Dims spread = in, strides = row_major_strides(in);
  for (std::size_t d = 0; d < w.in.size(); ++d) {
    // Margins of the spread input: what the kernel reaches over, less what is cut off. Cutting more than the kernel
    // reaches, or an output larger than the full result, is left to reference execution.
    const std::int64_t reach = w.span(d) - 1;
    direct.strides[d] = 1;
    spread[d + 2] = (w.in[d] - 1) * w.strides[d] + 1;
    direct.before[d] = reach - w.before[d];
    direct.after[d] = out[d + 2] + reach - spread[d + 2] - direct.before[d];
    if (direct.before[d] < 0 || direct.after[d] < 0) return false;
  }
  if (count_of(spread) == 0) return false;  // overflows
  Weights weights;
  TRY(weights, weights_of(node, l));
  auto plan = std::make_shared<ConvCallPlan>();
  plan->params = params_of(node, direct);
  plan->batch = in[0];
  plan->height = in.size() == 4 ? spread[2] : 1;
  plan->width = spread.back();
  const Tail tail = absorb_tail(*node.output(), l);
  plan->epilogue = tail.epilogue;
  const ConvParams& p = plan->params;
  weights.kernel = turned(weights.kernel, p.in_channels, p.out_channels, p.groups);
  pack(*plan, std::move(weights), l.half_sums(*tail.out));
  l.count_constant_bytes(plan->bytes());
  TRY(const Ref from, l.read(*x));
  Ref add;
  if (tail.add) {
    TRY(add, l.read(*tail.add));
  }
  const Ref to = l.define(*tail.out), wide = l.scratch(count_of(spread));
  Dims to_strides = row_major_strides(spread);
  for (std::size_t d = 0; d < w.in.size(); ++d) to_strides[d + 2] *= w.strides[d];
  std::vector<Ref> reads{from, wide};
  if (tail.add) reads.push_back(add);
  l.add(
      "conv_transpose" + tail.types, *tail.out, to, std::move(reads), Rounding::exact,
      [plan, from, add, to, wide, in, strides, to_strides](Frame& f) {
        std::fill_n(f.write(wide), wide.count, 0.0f);
        strided_copy(f.read(from), strides, f.write(wide), to_strides, in, *f.pool);
        plan->run(f, wide, add, to);
      },
      node.def->macs(node));
  return true;
}

constexpr KernelRow kRows[] = {{"conv", lower_conv}, {"conv_transpose", lower_conv_transpose}};

}  // namespace

bool conv_is_covered(const Node& node, const Lowering& lowering) {
  if (node.type != "conv" || !lowering.suits_kernels(node)) return false;
  const std::int64_t rank = node.input("x")->type.rank();
  return rank == 3 || rank == 4;
}

std::span<const KernelRow> conv_kernels() { return kRows; }

}  // namespace anemone::runtime
