// Activations. Their parameters have the dtype of x up to CoreML6; from CoreML7 they may differ from it.
#include <algorithm>
#include <numbers>

#include "anemone/ops/eval_util.h"
#include "anemone/ops/families.h"
#include "anemone/ops/infer_util.h"

namespace anemone::ops {
namespace {

constexpr Param kPlain[] = {input("x")};
constexpr Param kAlpha15[] = {input("x"), fixed("alpha", kFloats, 'T')};
constexpr Param kAlpha17[] = {input("x"), fixed("alpha", kFloats, 'U')};
constexpr Param kAlphaBeta15[] = {input("x"), fixed("alpha", kFloats, 'T'), fixed("beta", kFloats, 'T')};
constexpr Param kAlphaBeta17[] = {input("x"), fixed("alpha", kFloats, 'U'), fixed("beta", kFloats, 'U')};

constexpr Form kPlainForms[] = {{Target::ios15, kPlain, same_as_x}};
constexpr Form kAlphaForms[] = {{Target::ios15, kAlpha15, same_as_x}, {Target::ios17, kAlpha17, same_as_x}};
constexpr Form kAlphaBetaForms[] = {{Target::ios15, kAlphaBeta15, same_as_x}, {Target::ios17, kAlphaBeta17, same_as_x}};

double stable_softplus(double x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }
double logistic(double x) { return 1 / (1 + std::exp(-x)); }

double relu(double x) { return x < 0 ? 0 : x; }  // NaN stays NaN
double relu6(double x) { return x < 0 ? 0 : x > 6 ? 6 : x; }
double softsign(double x) { return x / (1 + std::fabs(x)); }
double silu(double x) { return x * logistic(x); }

template <double (*F)(double)>
Result<void> eval_map(EvalView& v) {
  map(v, F);
  return {};
}

template <double (*F)(double x, double alpha, double beta)>
Result<void> eval_alpha_beta(EvalView& v) {
  const double alpha = number_of(v, "alpha"), beta = number_of(v, "beta");
  map(v, [&](double x) { return F(x, alpha, beta); });
  return {};
}

double leaky_relu(double x, double alpha, double) { return x >= 0 ? x : alpha * x; }
double thresholded_relu(double x, double alpha, double) { return x >= alpha ? x : 0; }
double elu(double x, double alpha, double) { return x > 0 ? x : alpha * std::expm1(x); }
double clamped_relu(double x, double alpha, double beta) { return std::min(beta, x >= 0 ? x : alpha * x); }
double sigmoid_hard(double x, double alpha, double beta) { return std::clamp(alpha * x + beta, 0.0, 1.0); }
double scaled_tanh(double x, double alpha, double beta) { return alpha * std::tanh(beta * x); }
double linear_activation(double x, double alpha, double beta) { return alpha * x + beta; }

// Per channel: alpha (and beta) are vectors over dimension 1.
Types infer_per_channel(const InferView& v) {
  const Type& x = v.type("x");
  TRY_VOID(check_rank(v, "x", 3, 5));  // (C1)
  if (!x.ranked) return one(x);
  TRY_VOID(check_length(v, "alpha", x.dims[1]));  // (C2) one a channel
  TRY_VOID(check_length(v, "beta", x.dims[1]));
  return one(x);
}
Types infer_prelu(const InferView& v) {
  TRY(std::vector<Type> types, infer_per_channel(v));
  const Type& x = v.type("x");
  const Constant* alpha = v.constant("alpha");
  if (x.ranked && x.rank() != 4 && alpha) {  // (C3) other ranks share one alpha
    const std::vector<double> slopes = to_doubles(*alpha);
    const auto differs = std::find_if(slopes.begin(), slopes.end(), [&](double slope) { return slope != slopes[0]; });
    if (differs != slopes.end()) {
      return v.wrong("alpha",
                     fmt::format("differs between channels, which only rank 4 may, and x has rank {}", x.rank()),
                     "expand x to rank 4");
    }
  }
  return types;
}
constexpr Form kPreluForms[] = {{Target::ios15, kAlpha15, infer_prelu}, {Target::ios17, kAlpha17, infer_prelu}};
constexpr Form kParametricForms[] = {{Target::ios15, kAlphaBeta15, infer_per_channel},
                                     {Target::ios17, kAlphaBeta17, infer_per_channel}};

template <class F>
void map_channels(EvalView& v, F&& f) {
  const Array& x = v.in("x");
  const AxisView view(x.dims, 1);
  Array& y = v.out();
  for (std::size_t i = 0; i < y.data.size(); ++i) {
    y.data[i] = f(x.data[i], i / static_cast<std::size_t>(view.inner) % static_cast<std::size_t>(view.extent));
  }
}
Result<void> eval_prelu(EvalView& v) {
  const Array& alpha = v.in("alpha");
  map_channels(v, [&](double x, std::size_t c) { return x > 0 ? x : alpha.data[c] * x; });
  return {};
}
Result<void> eval_softplus_parametric(EvalView& v) {
  const Array &alpha = v.in("alpha"), &beta = v.in("beta");
  map_channels(v, [&](double x, std::size_t c) { return alpha.data[c] * stable_softplus(beta.data[c] * x); });
  return {};
}

// gelu
constexpr Param kGelu[] = {input("x"), option("mode", kString, 0, "EXACT")};
Types infer_gelu(const InferView& v) {
  TRY_VOID(check_word(v, "mode", {"EXACT", "TANH_APPROXIMATION", "SIGMOID_APPROXIMATION"}));  // (C1)
  return same_as_x(v);
}
constexpr Form kGeluForms[] = {{Target::ios15, kGelu, infer_gelu}};
Result<void> eval_gelu(EvalView& v) {
  const std::string mode = v.text("mode");
  if (mode == "EXACT") {
    map(v, [](double x) { return 0.5 * x * (1 + std::erf(x / std::numbers::sqrt2)); });
  } else if (mode == "TANH_APPROXIMATION") {
    const double k = std::sqrt(2 / std::numbers::pi);
    map(v, [&](double x) { return 0.5 * x * (1 + std::tanh(k * (x + 0.044715 * x * x * x))); });
  } else {
    map(v, [](double x) { return x * logistic(1.702 * x); });
  }
  return {};
}

// softmax
constexpr Param kSoftmax[] = {input("x"), option("axis", kInt32, 0, -1)};
Types infer_softmax(const InferView& v) {
  const Type& x = v.type("x");
  if (x.ranked) TRY_VOID(axis_in(v, "axis", v.integer("axis"), x.rank()));  // (C1)
  return one(x);
}
constexpr Form kSoftmaxForms[] = {{Target::ios15, kSoftmax, infer_softmax}};
Result<void> eval_softmax(EvalView& v) {
  const Array& x = v.in("x");
  Array& y = v.out();
  const AxisView view(x.dims, wrap_axis(v.integer("axis"), x.rank()));
  for (std::int64_t o = 0; o < view.outer; ++o) {
    for (std::int64_t in = 0; in < view.inner; ++in) {
      double highest = -HUGE_VAL, sum = 0;
      for (std::int64_t i = 0; i < view.extent; ++i) highest = std::max(highest, x.data[view.at(o, i, in)]);
      for (std::int64_t i = 0; i < view.extent; ++i) sum += std::exp(x.data[view.at(o, i, in)] - highest);
      for (std::int64_t i = 0; i < view.extent; ++i) {
        y.data[view.at(o, i, in)] = std::exp(x.data[view.at(o, i, in)] - highest) / sum;
      }
    }
  }
  return {};
}

constexpr OpDef kOps[] = {
    {.name = "relu",
     .summary = "max(x, 0)",
     .forms = kPlainForms,
     .eval = eval_map<relu>,
     .traits = kElementwise | kActivation | kEpilogue},
    {.name = "relu6",
     .summary = "min(max(x, 0), 6)",
     .forms = kPlainForms,
     .eval = eval_map<relu6>,
     .traits = kElementwise | kActivation | kEpilogue},
    {.name = "leaky_relu",
     .summary = "x ≥ 0 ? x : alpha · x",
     .forms = kAlphaForms,
     .eval = eval_alpha_beta<leaky_relu>,
     .traits = kElementwise | kActivation | kEpilogue},
    {.name = "prelu",
     .summary = "x > 0 ? x : alpha[channel] · x",
     .forms = kPreluForms,
     .eval = eval_prelu,
     .traits = kActivation | kEpilogue},
    {.name = "clamped_relu",
     .summary = "min(beta, x ≥ 0 ? x : alpha · x)",
     .forms = kAlphaBetaForms,
     .eval = eval_alpha_beta<clamped_relu>,
     .traits = kElementwise | kActivation},
    {.name = "thresholded_relu",
     .summary = "x ≥ alpha ? x : 0",
     .forms = kAlphaForms,
     .eval = eval_alpha_beta<thresholded_relu>,
     .traits = kElementwise | kActivation},
    {.name = "sigmoid",
     .summary = "1 / (1 + e⁻ˣ)",
     .forms = kPlainForms,
     .eval = eval_map<logistic>,
     .traits = kElementwise | kActivation | kEpilogue},
    {.name = "tanh",
     .summary = "tanh x",
     .forms = kPlainForms,
     .eval = eval_map<std::tanh>,
     .traits = kElementwise | kActivation | kEpilogue},
    {.name = "softsign",
     .summary = "x / (1 + |x|)",
     .forms = kPlainForms,
     .eval = eval_map<softsign>,
     .traits = kElementwise | kActivation | kEpilogue},
    {.name = "sigmoid_hard",
     .summary = "min(max(alpha · x + beta, 0), 1)",
     .forms = kAlphaBetaForms,
     .eval = eval_alpha_beta<sigmoid_hard>,
     .traits = kElementwise | kActivation | kEpilogue},
    {.name = "scaled_tanh",
     .summary = "alpha · tanh(beta · x)",
     .forms = kAlphaBetaForms,
     .eval = eval_alpha_beta<scaled_tanh>,
     .traits = kElementwise | kActivation},
    {.name = "linear_activation",
     .summary = "alpha · x + beta",
     .forms = kAlphaBetaForms,
     .eval = eval_alpha_beta<linear_activation>,
     .traits = kElementwise | kActivation},
    {.name = "softplus",
     .summary = "log(1 + eˣ)",
     .forms = kPlainForms,
     .eval = eval_map<stable_softplus>,
     .traits = kElementwise | kActivation | kEpilogue},
    {.name = "softplus_parametric",
     .summary = "alpha[channel] · log(1 + e^(beta[channel] · x))",
     .forms = kParametricForms,
     .eval = eval_softplus_parametric,
     .traits = kActivation},
    {.name = "silu",
     .summary = "x / (1 + e⁻ˣ)",
     .forms = kPlainForms,
     .eval = eval_map<silu>,
     .traits = kElementwise | kActivation | kEpilogue},
    {.name = "gelu",
     .summary = "x · Φ(x), exact or one of two approximations",
     .forms = kGeluForms,
     .eval = eval_gelu,
     .traits = kElementwise | kActivation | kEpilogue},
    {.name = "elu",
     .summary = "x > 0 ? x : alpha · (eˣ − 1)",
     .forms = kAlphaForms,
     .eval = eval_alpha_beta<elu>,
     .traits = kElementwise | kActivation | kEpilogue},
    {.name = "softmax", .summary = "eˣ / Σ eˣ along axis", .forms = kSoftmaxForms, .eval = eval_softmax},
};

}  // namespace

std::span<const OpDef> activation() { return kOps; }

}  // namespace anemone::ops
