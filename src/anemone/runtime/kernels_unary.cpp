// Functions of one operand, and casts between floats and bools.
#include "anemone/runtime/cpu/half_round.h"
#include "anemone/runtime/kernel_util.h"

namespace anemone::runtime {
namespace {

using cpu::Unary;

const Kernel kPrelu{"prelu", [](const Bound& b) {
                      const auto& p = get<AxisParameters>(b);
                      cpu::prelu(b.in(0), b.out(2), p.outer, p.extent, p.inner, b.in(1), b.pool);
                    }};

const Kernel kRound{"round_to_half", [](const Bound& b) {
                      const auto count = static_cast<std::size_t>(b.call.operands[1].ref.count);
                      cpu::round_to_half(b.in(0), b.out(1), count, b.pool);
                    }};

Result<void> add_unary(const Group& g, Planner& p, Rounding rounding, UnaryParameters parameters) {
  TRY(const Ref from, p.read(g.in()));
  p.add(g.out(), rounding,
        {.kernel = &kUnaryKernel,
         .parameters = parameters,
         .operands = {read("x", from), write("out", p.define(g.out()))},
         .layout = Layout::any,
         .overwrites = {0},
         .elementwise = true});
  return {};
}

template <Unary Function, Rounding How = Rounding::needed>
Result<void> plain(const Group& g, Planner& p) {
  return add_unary(g, p, How, {Function});
}

/// With parameters; clip and its like bring in numbers that may be no halves.
template <Unary Function>
Result<void> with_parameters(const Group& g, Planner& p) {
  return add_unary(g, p, Rounding::needed, {Function, number(*g.node, "alpha"), number(*g.node, "beta")});
}
bool parameters_are_constants(const Node& node, const GraphView&) {
  return (!node.operand("alpha") || node.constant("alpha")) && (!node.operand("beta") || node.constant("beta"));
}

/// The default epsilon is one of the dtype of x: most are 0 in half precision.
template <Unary Function>
Result<void> with_epsilon(const Group& g, Planner& p) {
  const ConstantView v(*g.node);
  const bool wide = p.graph().options().precision == Precision::fp32;
  const double epsilon = v.has("epsilon") ? v.number("epsilon")
                                          : ops::rounded(v.number("epsilon"), wide ? DType::fp32 : g.in().type.dtype);
  return add_unary(g, p, Rounding::needed, {Function, static_cast<float>(epsilon)});
}

Result<void> plan_relu6(const Group& g, Planner& p) { return add_unary(g, p, Rounding::exact, {Unary::clip, 0, 6}); }

Result<void> plan_gelu(const Group& g, Planner& p) {
  const std::string mode = ConstantView(*g.node).text("mode");
  const Unary function = mode == "EXACT"                ? Unary::gelu
                         : mode == "TANH_APPROXIMATION" ? Unary::gelu_tanh
                                                        : Unary::gelu_sigmoid;
  return add_unary(g, p, Rounding::needed, {function});
}

Result<void> plan_prelu(const Group& g, Planner& p) {
  TRY(const Ref slope, p.read(*g.node->input("alpha")));
  TRY(const Ref from, p.read(g.in()));
  p.add(g.out(), Rounding::needed,
        {.kernel = &kPrelu,
         .parameters = axis_of(g.in().type.dims, 1),
         .operands = {read("x", from), read("alpha", slope), write("out", p.define(g.out()))},
         .overwrites = {0},
         .elementwise = true});
  return {};
}

/// Between floats and bools.
Result<void> plan_cast(const Group& g, Planner& p) {
  const Value &x = g.in(), &out = g.out();
  if (out.type.dtype == DType::boolean && x.type.dtype != DType::boolean) {
    TRY(const Ref x_ref, p.read(x));
    const Ref zero = p.constant(std::vector<float>{0});
    p.add(out, Rounding::exact,
          {.kernel = &kBinaryKernel,
           .parameters = BinaryParameters{cpu::Binary::not_equal, {x_ref.count}, {}},
           .operands = {read("x", x_ref), read("y", zero), write("out", p.define(out))},
           .layout = Layout::any});
    return {};
  }
  TRY(const Ref from, p.read(x));
  if (p.graph().rounds(out) && !p.graph().rounds(x) && x.type.dtype != DType::boolean) {
    p.add(out, Rounding::exact,
          {.kernel = &kRound,
           .operands = {read("x", from), write("out", p.define(out))},
           .layout = Layout::any,
           .overwrites = {0},
           .elementwise = true});
  } else {
    p.alias(out, from);
  }
  return {};
}

constexpr Rounding kExact = Rounding::exact;

/// The row of an operation with parameters alpha and beta.
template <Unary Function>
constexpr KernelRow parametric(std::string_view type) {
  return {.type = type, .plan = with_parameters<Function>, .covers = parameters_are_constants};
}

constexpr KernelRow kRows[] = {
    {"relu", plain<Unary::relu, kExact>},
    {"relu6", plan_relu6},
    parametric<Unary::leaky_relu>("leaky_relu"),
    {"prelu", plan_prelu},
    parametric<Unary::clamped_relu>("clamped_relu"),
    parametric<Unary::thresholded_relu>("thresholded_relu"),
    {"sigmoid", plain<Unary::sigmoid>},
    {"tanh", plain<Unary::tanh>},
    {"softsign", plain<Unary::softsign>},
    parametric<Unary::sigmoid_hard>("sigmoid_hard"),
    parametric<Unary::scaled_tanh>("scaled_tanh"),
    parametric<Unary::linear>("linear_activation"),
    {"softplus", plain<Unary::softplus>},
    {"silu", plain<Unary::silu>},
    {"gelu", plan_gelu},
    parametric<Unary::elu>("elu"),
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
    {"log", with_epsilon<Unary::log>},
    {"rsqrt", with_epsilon<Unary::rsqrt>},
    {"inverse", with_epsilon<Unary::inverse>},
    parametric<Unary::clip>("clip"),
    parametric<Unary::threshold>("threshold"),
    {"logical_not", plain<Unary::logical_not, kExact>},
    {"cast", plan_cast},
};

}  // namespace

const Kernel kUnaryKernel{"unary", [](const Bound& b) {
                            const auto& p = get<UnaryParameters>(b);
                            cpu::unary(p.function, b.in(0), b.out(1), b.call.operands[1].ref.count, b.pool, p.alpha,
                                       p.beta);
                          }};

std::span<const KernelRow> unary_kernels() { return kRows; }

}  // namespace anemone::runtime
