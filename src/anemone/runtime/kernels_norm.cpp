// Normalisations and softmax. A batch norm in front of a convolution is left to it.
#include <memory>

#include "anemone/ops/eval_util.h"
#include "anemone/ops/infer_util.h"
#include "anemone/runtime/cpu/elementwise.h"
#include "anemone/runtime/cpu/norm.h"
#include "anemone/runtime/kernel_table.h"

namespace anemone::runtime {

using namespace cpu;
namespace {

constexpr double kEpsilon = 1e-5;  // MIL's default

Result<Ref> known_vector(const Value* value, Lowering& l) {
  if (!value) return Ref{};
  return l.read(*value);
}
const float* read_or_null(const Frame& f, const Ref& ref) {
  return ref.space == Ref::Space::none ? nullptr : f.read(ref);
}

/// The relu that is the only user of the value; relu and rounding may change places.
const Node* relu_behind(const Value& value, const Lowering& l) {
  const Node* user = l.fuses() ? l.only_user(value) : nullptr;
  const bool fits = user && user->type == "relu" && user->output()->type == value.type && l.suits_kernels(*user);
  return fits ? user : nullptr;
}

Result<bool> lower_batch_norm(const Node& node, Lowering& l) {
  const Value* x = node.input("x");
  const Dims& dims = x->type.dims;
  const Node* relu = relu_behind(*node.output(), l);
  const Value& out = relu ? *relu->output() : *node.output();
  if (const Node* conv = l.fuses() && !l.rounds(out) ? l.only_user(out) : nullptr;
      conv && conv_is_covered(*conv, l) && conv->input("x") == &out) {
    l.delay(out, {&node, relu});
    return true;
  }
  if (relu) l.absorb(*relu);
  TRY(ChannelAffine affine, affine_of(node, l));
  TRY(const Ref from, l.read(*x));
  const Ref scale = l.constant(std::move(affine.scale)), shift = l.constant(std::move(affine.shift));
  const Ref to = l.define_over(out, {x}, true);
  const ops::AxisView view(dims, 1);
  l.add(relu ? "batch_norm+relu" : "batch_norm", out, to, {from}, Rounding::needed,
        [=, with_relu = relu != nullptr](Frame& f) {
          channel_affine(f.read(from), f.write(to), view.outer, view.extent, view.inner, f.read(scale), f.read(shift),
                         with_relu, *f.pool);
        });
  return true;
}

Result<bool> lower_instance_norm(const Node& node, Lowering& l) {
  const Value* x = node.input("x");
  const Node* relu = relu_behind(*node.output(), l);
  if (relu) l.absorb(*relu);
  const Value& out = relu ? *relu->output() : *node.output();
  TRY(const Ref gamma, known_vector(node.input("gamma"), l));
  TRY(const Ref beta, known_vector(node.input("beta"), l));
  TRY(const Ref from, l.read(*x));
  const Ref to = l.define_over(out, {x}, true);
  const ops::AxisView view(x->type.dims, 1);
  l.add(relu ? "instance_norm+relu" : "instance_norm", out, to, {from}, Rounding::needed,
        [=, with_relu = relu != nullptr, epsilon = number(node, "epsilon", kEpsilon)](Frame& f) {
          instance_norm(f.read(from), f.write(to), view.outer, view.extent, view.inner, read_or_null(f, gamma),
                        read_or_null(f, beta), epsilon, with_relu, *f.pool);
        });
  return true;
}

/// Over the last dimensions, in their order.
Result<bool> lower_layer_norm(const Node& node, Lowering& l) {
  const Value* x = node.input("x");
  const ConstantView v(node);
  const std::int64_t rank = x->type.rank();
  Dims axes = v.ints("axes");
  std::int64_t first = v.has("axes") ? rank - static_cast<std::int64_t>(axes.size()) : 0;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (static_cast<std::int64_t>(ops::wrap_axis(axes[i], rank)) != first + static_cast<std::int64_t>(i)) return false;
  }
  const std::int64_t inner = count_of(std::span(x->type.dims).subspan(static_cast<std::size_t>(first)));
  TRY(const Ref gamma, known_vector(node.input("gamma"), l));
  TRY(const Ref beta, known_vector(node.input("beta"), l));
  TRY(const Ref from, l.read(*x));
  const Ref to = l.define(*node.output());
  l.add("layer_norm", *node.output(), to, {from}, Rounding::needed,
        [=, epsilon = number(node, "epsilon", kEpsilon)](Frame& f) {
          layer_norm(f.read(from), f.write(to), to.count / inner, inner, read_or_null(f, gamma), read_or_null(f, beta),
                     epsilon, *f.pool);
        });
  return true;
}

Result<bool> lower_softmax(const Node& node, Lowering& l) {
  const Value* x = node.input("x");
  if (x->type.dims.empty()) return false;
  const ops::AxisView view(x->type.dims, ops::wrap_axis(ConstantView(node).integer("axis", -1), x->type.rank()));
  TRY(const Ref from, l.read(*x));
  const Ref to = l.define_over(*node.output(), {x}, true);
  l.add("softmax", *node.output(), to, {from}, Rounding::needed,
        [=](Frame& f) { softmax(f.read(from), f.write(to), view.outer, view.extent, view.inner, *f.pool); });
  return true;
}

constexpr KernelRow kRows[] = {{"batch_norm", lower_batch_norm},
                               {"instance_norm", lower_instance_norm},
                               {"layer_norm", lower_layer_norm},
                               {"softmax", lower_softmax}};

}  // namespace

Result<ChannelAffine> affine_of(const Node& batch_norm, Lowering& lowering) {
  TRY(const std::vector<float> mean, lowering.known_floats(batch_norm.input("mean")));
  TRY(const std::vector<float> variance, lowering.known_floats(batch_norm.input("variance")));
  TRY(const std::vector<float> gamma, lowering.known_floats(batch_norm.input("gamma")));
  TRY(const std::vector<float> beta, lowering.known_floats(batch_norm.input("beta")));
  ChannelAffine affine{FloatBuffer(mean.size()), FloatBuffer(mean.size())};
  batch_norm_affine(static_cast<std::int64_t>(mean.size()), mean.data(), variance.data(),
                    gamma.empty() ? nullptr : gamma.data(), beta.empty() ? nullptr : beta.data(),
                    number(batch_norm, "epsilon", kEpsilon), affine.scale.data(), affine.shift.data());
  return affine;
}

std::span<const KernelRow> norm_kernels() { return kRows; }

}  // namespace anemone::runtime
