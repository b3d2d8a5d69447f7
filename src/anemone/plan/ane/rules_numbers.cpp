// fp16 hazards that weights and constants show by themselves.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "anemone/plan/ane/rules.h"
#include "anemone/plan/ane/weights.h"

namespace anemone::ane {
namespace {

constexpr double kSmallestNormal = 6.103515625e-5;  // 2^-14
constexpr double kAccumulator = 32768;              // the multiply-accumulate unit's fixed point ends here
constexpr double kMostlySubnormal = 0.25;           // folding 1/255 into weights makes 28 % subnormal
constexpr std::int64_t kLongSum = 256;
constexpr std::size_t kFewWeights = 16;  // fewer say nothing about the rest

constexpr Ops kRatios{"real_div", "inverse"};
constexpr Ops kOnTheWayToARatio{"clip", "add", "maximum", "reshape", "expand_dims", "squeeze", "reduce_sum"};

bool feeds_ratio(const Value& value, int& budget, int depth) {
  for (const Use& use : value.uses) {
    const Node* user = use.node;
    if (--budget < 0) return false;
    if (kRatios.has(*user)) return true;
    if (depth < 3 && kOnTheWayToARatio.has(*user) && feeds_ratio(*user->output(), budget, depth + 1)) return true;
  }
  return false;
}

bool feeds_ratio(const Value& value) {
  int budget = 200;  // users looked at
  return feeds_ratio(value, budget, 0);
}

void long_sum(const Subject& s, std::size_t i, Report report) {
  const Node& node = *s.nodes[i];
  const Value* x = node.input("x");
  const auto in = x ? element_count(x->type.dims) : std::nullopt, out = element_count(node.output()->type.dims);
  if (!in || !out || *out <= 0 || *in / *out <= kLongSum || !feeds_ratio(*node.output())) return;
  Finding& finding = report.at(name_of(node));
  finding.message = fmt::format("{} sums of up to {} elements feed a ratio", finding.ops.size(), *in / *out);
}

void accumulators(const Subject& s, Report report) {
  constexpr Ops kRowsAreOutputs{"conv", "linear"};
  double largest = 0;  // Σ|w| where nothing bounds the input
  const Node* where = nullptr;
  for (const Node* node : s.nodes) {
    const Value* weight = kRowsAreOutputs.has(*node) ? node->input("weight") : nullptr;
    const auto bits = halves(weight);
    if (bits.size() < kFewWeights) continue;
    const double sum = largest_row(bits, weight->type.dims[0]);
    const auto bound = magnitude(*s.function, node->input("x"));
    if (!bound) {
      if (sum > largest) largest = sum, where = node;
      continue;
    }
    double bias = 0;
    if (const Constant* b = node->constant("bias"); b && b->missing.empty()) {
      for (const double v : to_doubles(*b)) bias = std::max(bias, std::abs(v));
    }
    if (*bound * sum + bias < kAccumulator) continue;
    Finding& finding = report.at(name_of(*node));
    finding.message =
        fmt::format("sums of '{}' may reach {:.0f}: inputs up to {:.4g} times weights that add up to {:.4g}",
                    finding.ops[0], *bound * sum + bias, *bound, sum);
  }
  if (!where) return;
  Finding& open = report.open();
  open.message =
      fmt::format("not checked, needs data: '{}' saturates where inputs pass {:.0f} (its weights add up to {:.4g})",
                  name_of(*where), kAccumulator / largest, largest);
  open.ops = {name_of(*where)};
}

void subnormal_weights(const Subject& s, std::size_t i, Report report) {
  const auto bits = halves(s.nodes[i]->input("weight"));
  const double share = bits.size() < kFewWeights ? 0 : subnormal_share(bits);
  if (share <= kMostlySubnormal) return;
  Finding& finding = report.at(name_of(*s.nodes[i]));
  if (finding.message.empty())
    finding.message = fmt::format("{:.0f} % of the weights of '{}' are subnormal in fp16", 100 * share, finding.ops[0]);
}

void norm_input(const Subject& s, Report report) {
  constexpr Ops kNorms{"instance_norm"};
  const auto norm = std::find_if(s.nodes.begin(), s.nodes.end(), [&](const Node* n) { return kNorms.has(*n); });
  if (norm == s.nodes.end()) return;
  Finding& finding = report.open();
  finding.message = "not checked, needs data: the deviation of what goes into instance_norm";
  finding.ops = {name_of(**norm)};
}

void infinite_mask(const Subject& s, std::size_t i, Report report) {
  constexpr std::uint16_t kMinusInfinity = 0xfc00;
  for (const Operand& operand : s.nodes[i]->operands()) {
    for (const Value* value : operand.values) {
      const auto bits = halves(value);
      if (std::find(bits.begin(), bits.end(), kMinusInfinity) != bits.end()) report.at(name_of(*s.nodes[i]));
    }
  }
}

void width_slice(const Subject& s, std::size_t i, Report report) {
  if (!s.device->limits.clamps_width_slices) return;
  const ConstantView view(*s.nodes[i]);
  const Dims begin = view.ints("begin");
  const std::vector<bool> masked = view.flags("begin_mask", begin.size());
  if (begin.size() >= 3 && begin.back() != 0 && !masked.back()) report.at(name_of(*s.nodes[i]));
}

void small_constant(const Node& node, double value, std::string_view what, Report& report) {
  const bool half = !node.outputs.empty() && node.output()->type.tensor_part().dtype == DType::fp16;
  if (!half || value <= 0 || value >= kSmallestNormal) return;
  Finding& finding = report.at(name_of(node));
  if (finding.message.empty())
    finding.message =
        fmt::format("the {} of '{}' is {:.3g}, and fp16's normal range begins at 6.1e-5", what, finding.ops[0], value);
}

void small_epsilon(const Subject& s, std::size_t i, Report report) {
  constexpr Ops kFolded{"batch_norm"}, kFloors{"clip"};  // a batch norm becomes a factor and an offset
  const Node& node = *s.nodes[i];
  const ConstantView view(node);
  if (node.constant("epsilon") && !kFolded.has(node))
    small_constant(node, view.number("epsilon", 0), "epsilon", report);
  if (kFloors.has(node) && feeds_ratio(*node.output())) small_constant(node, view.number("alpha", 0), "floor", report);
}

constexpr Rule kLongSumRule{.text = {.code = "ANE013",
                                     .name = "long-narrow-sum",
                                     .what = "a sum or mean over more than 256 elements that feeds a ratio",
                                     .why = "reductions may accumulate in fp16: 2 to 6 pixels of a 256 crop",
                                     .instead = "use a matmul with constants, whose accumulator is wide",
                                     .effect = Effect::hazard,
                                     .severity = "warn",
                                     .trust = Trust::reported,
                                     .source = "direct-path measurements on M1; simulation here"},
                            .ops = {"reduce_sum", "reduce_mean"},
                            .notices = long_sum};

constexpr Rule kAccumulatorRule{.text = {.code = "ANE014",
                                         .name = "accumulator",
                                         .what = "multiply-accumulate sums that may reach 32768",
                                         .why = "the fixed-point accumulator saturates to infinity",
                                         .instead = "scale weights down and the next operation up",
                                         .effect = Effect::hazard,
                                         .severity = "warn",
                                         .trust = Trust::reported,
                                         .source = "numerics study on M6 and M4",
                                         .needs_data = true},
                                .surveys = accumulators,
                                .reads_weights = true};

constexpr Rule kSubnormalWeights{.text = {.code = "ANE015",
                                          .name = "subnormal-weights",
                                          .what = "weights mostly below fp16's normal range (6.1e-5)",
                                          .why = "subnormals are flushed on M1, small products dropped",
                                          .instead = "scale weights up and the next operation down",
                                          .effect = Effect::hazard,
                                          .severity = "warn",
                                          .trust = Trust::reported,
                                          .source = "numerics study; direct-path measurements on M1"},
                                 .ops = {"conv", "conv_transpose", "linear"},
                                 .notices = subnormal_weights,
                                 .reads_weights = true};

constexpr Rule kNormInput{.text = {.code = "ANE017",
                                   .name = "norm-input-range",
                                   .what = "activations before instance_norm with a deviation outside 0.25 to 4",
                                   .why = "their variance leaves fp16's range",
                                   .instead = "rescale the weights before it",
                                   .effect = Effect::hazard,
                                   .severity = "warn",
                                   .trust = Trust::computed,
                                   .source = "simulation here",
                                   .needs_data = true},
                          .surveys = norm_input};

constexpr Rule kInfiniteMask{.text = {.code = "ANE020",
                                      .name = "infinite-mask",
                                      .what = "a mask of minus infinity",
                                      .why = "softmax with infinities goes wrong",
                                      .instead = "use -40000",
                                      .effect = Effect::hazard,
                                      .severity = "info",
                                      .trust = Trust::documented,
                                      .source = "Apple authoring rules"},
                             .ops = {"add", "select", "sub", "mul", "minimum", "maximum"},
                             .notices = infinite_mask};

constexpr Rule kWidthSlice{
    .text = {.code = "ANE021",
             .name = "width-slice",
             .what = "a slice of the width axis that does not begin at 0, on M1 or M2 generations",
             .why = "values beyond 4094 are clamped",
             .instead = "slice another axis",
             .effect = Effect::hazard,
             .severity = "info",
             .trust = Trust::reported,
             .source = "direct-path measurements"},
    .ops = {"slice_by_index", "slice_by_size"},
    .notices = width_slice};

constexpr Rule kSmallEpsilon{
    .text = {.code = "ANE031",
             .name = "small-epsilon",
             .what = "an epsilon or a floor below fp16's normal range (6.1e-5)",
             .why = "a subnormal is flushed to zero on M1, and the division it guards is not guarded",
             .instead = "use 6.1e-5 or more",
             .effect = Effect::hazard,
             .severity = "warn",
             .trust = Trust::reported,
             .source = "numerics study; direct-path measurements on M1"},
    .notices = small_epsilon};

}  // namespace

std::span<const Rule* const> number_rules() {
  static constexpr std::array kRules{&kLongSumRule,  &kAccumulatorRule, &kSubnormalWeights, &kNormInput,
                                     &kInfiniteMask, &kWidthSlice,      &kSmallEpsilon};
  return kRules;
}

}  // namespace anemone::ane
