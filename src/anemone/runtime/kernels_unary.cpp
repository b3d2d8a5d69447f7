// Functions of one operand, and casts between floats and bools.
#include "anemone/ops/eval_util.h"
#include "anemone/runtime/cpu/elementwise.h"
#include "anemone/runtime/cpu/half_round.h"
#include "anemone/runtime/kernel_table.h"

namespace anemone::runtime {

using namespace cpu;
namespace {

Result<bool> add_unary(const Node& node, Lowering& l, Unary op, Rounding rounding, float alpha = 0, float beta = 0) {
  const Value* x = node.input("x");
  TRY(const Ref from, l.read(*x));
  const Ref to = l.define_over(*node.output(), {x}, true);
  l.add(node.type, *node.output(), to, {from}, rounding,
        [=](Frame& f) { unary(op, f.read(from), f.write(to), to.count, *f.pool, alpha, beta); });
  return true;
}

template <Unary Op, Rounding How = Rounding::needed>
Result<bool> plain(const Node& node, Lowering& l) {
  return add_unary(node, l, Op, How);
}

/// With parameters; clip and its like bring in numbers that may be no halves.
template <Unary Op>
Result<bool> with_parameters(const Node& node, Lowering& l) {
  for (const char* param : {"alpha", "beta"}) {
    if (node.operand(param) && !node.constant(param)) return false;
  }
  return add_unary(node, l, Op, Rounding::needed, number(node, "alpha", 0), number(node, "beta", 0));
}

/// The default epsilon is one of the dtype of x: most are 0 in half precision.
template <Unary Op>
Result<bool> with_epsilon(const Node& node, Lowering& l, double fallback) {
  const Value* x = node.input("x");
  const DType dtype = l.precision() == Precision::fp32 ? DType::fp32 : x->type.dtype;
  return add_unary(node, l, Op, Rounding::needed, number(node, "epsilon", ops::rounded(fallback, dtype)));
}
Result<bool> lower_log(const Node& node, Lowering& l) { return with_epsilon<Unary::log>(node, l, 1e-45); }
Result<bool> lower_rsqrt(const Node& node, Lowering& l) { return with_epsilon<Unary::rsqrt>(node, l, 1e-12); }
Result<bool> lower_inverse(const Node& node, Lowering& l) { return with_epsilon<Unary::inverse>(node, l, 1e-4); }

Result<bool> lower_relu6(const Node& node, Lowering& l) {
  return add_unary(node, l, Unary::clip, Rounding::exact, 0, 6);
}

Result<bool> lower_gelu(const Node& node, Lowering& l) {
  const std::string mode = ConstantView(node).text("mode", "EXACT");
  const Unary op = mode == "EXACT"                ? Unary::gelu
                   : mode == "TANH_APPROXIMATION" ? Unary::gelu_tanh
                                                  : Unary::gelu_sigmoid;
  return add_unary(node, l, op, Rounding::needed);
}

Result<bool> lower_prelu(const Node& node, Lowering& l) {
  const Value* x = node.input("x");
  TRY(const Ref slope, l.read(*node.input("alpha")));
  TRY(const Ref from, l.read(*x));
  const ops::AxisView view(x->type.dims, 1);
  const Ref to = l.define_over(*node.output(), {x}, true);
  l.add(node.type, *node.output(), to, {from}, Rounding::needed, [=](Frame& f) {
    prelu(f.read(from), f.write(to), view.outer, view.extent, view.inner, f.read(slope), *f.pool);
  });
  return true;
}

/// Between floats and bools.
Result<bool> lower_cast(const Node& node, Lowering& l) {
  const Value &x = *node.input("x"), &out = *node.output();
  TRY(const Ref from, l.read(x));
  if (out.type.dtype == DType::boolean && x.type.dtype != DType::boolean) {
    FloatBuffer zero(1);
    zero[0] = 0;
    const Ref none = l.constant(std::move(zero));
    const Ref to = l.define(out);
    l.add(node.type, out, to, {from}, Rounding::exact, [=](Frame& f) {
      binary(Binary::not_equal, f.read(from), std::span(&from.count, 1), f.read(none), {}, f.write(to), *f.pool);
    });
  } else if (l.rounds(out) && !l.rounds(x) && x.type.dtype != DType::boolean) {
    const Ref to = l.define_over(out, {&x}, true);
    l.add(node.type, out, to, {from}, Rounding::exact,
          [=](Frame& f) { round_to_half(f.read(from), f.write(to), static_cast<std::size_t>(to.count), *f.pool); });
  } else {
    l.alias(out, from);
  }
  return true;
}

constexpr Rounding kExact = Rounding::exact;
constexpr KernelRow kRows[] = {
    {"relu", plain<Unary::relu, kExact>},
    {"relu6", lower_relu6},
    {"leaky_relu", with_parameters<Unary::leaky_relu>},
    {"prelu", lower_prelu},
    {"clamped_relu", with_parameters<Unary::clamped_relu>},
    {"thresholded_relu", with_parameters<Unary::thresholded_relu>},
    {"sigmoid", plain<Unary::sigmoid>},
    {"tanh", plain<Unary::tanh>},
    {"softsign", plain<Unary::softsign>},
    {"sigmoid_hard", with_parameters<Unary::sigmoid_hard>},
    {"scaled_tanh", with_parameters<Unary::scaled_tanh>},
    {"linear_activation", with_parameters<Unary::linear>},
    {"softplus", plain<Unary::softplus>},
    {"silu", plain<Unary::silu>},
    {"gelu", lower_gelu},
    {"elu", with_parameters<Unary::elu>},
    {"abs", plain<Unary::abs, kExact>},
    {"square", plain<Unary::square>},
    {"sign", plain<Unary::sign, kExact>},
    {"exp", plain<Unary::exp>},
    {"exp2", plain<Unary::exp2>},
    {"erf", plain<Unary::erf>},
    {"sqrt", plain<Unary::sqrt>},
    {"floor", plain<Unary::floor, kExact>},
    {"ceil", plain<Unary::ceil, kExact>},
    {"round", plain<Unary::round, kExact>},
    {"sin", plain<Unary::sin>},
    {"cos", plain<Unary::cos>},
    {"tan", plain<Unary::tan>},
    {"asin", plain<Unary::asin>},
    {"acos", plain<Unary::acos>},
    {"atan", plain<Unary::atan>},
    {"atanh", plain<Unary::atanh>},
    {"sinh", plain<Unary::sinh>},
    {"cosh", plain<Unary::cosh>},
    {"log", lower_log},
    {"rsqrt", lower_rsqrt},
    {"inverse", lower_inverse},
    {"clip", with_parameters<Unary::clip>},
    {"threshold", with_parameters<Unary::threshold>},
    {"logical_not", plain<Unary::logical_not, kExact>},
    {"cast", lower_cast},
};

}  // namespace

std::span<const KernelRow> unary_kernels() { return kRows; }

}  // namespace anemone::runtime
