// fp16 hazards that weights and constants show by themselves.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "anemone/plan/ane/rules.h"
#include "anemone/plan/ane/weights.h"

namespace anemone::plan::ane {
namespace {

constexpr double kSmallestNormal = 6.103515625e-5;  // 2^-14
constexpr double kAccumulator = 32768;              // the multiply-accumulate unit's fixed point ends here
constexpr double kMostlySubnormal = 0.25;           // folding 1/255 into weights makes 28 % subnormal
constexpr std::int64_t kLongSum = 256;
constexpr std::size_t kFewWeights = 16;  // fewer say nothing about the rest

constexpr Ops kRatios{"real_div", "inverse"};
constexpr Ops kOnTheWayToARatio{kView, {"clip", "add", "maximum", "reduce_sum"}};

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
  if (!half || value < 0 || value >= kSmallestNormal) return;
  Finding& finding = report.at(name_of(node));
  if (finding.message.empty())
    finding.message =
        fmt::format("the {} of '{}' is {:.3g}, and fp16's normal range begins at 6.1e-5", what, finding.ops[0], value);
}

// A guard that became 0 guards nothing: a norm's epsilon, or what is added under a root.
void small_epsilon(const Subject& s, std::size_t i, Report report) {
  constexpr Ops kFolded{"batch_norm"}, kFloors{"clip"},
      kMaxima{"maximum"};  // a batch norm becomes a factor and an offset
  constexpr Ops kNorms{"instance_norm", "layer_norm", "l2_norm"}, kSums{"add"}, kRoots{"rsqrt", "sqrt"};
  const Node& node = *s.nodes[i];
  const ConstantView view(node);
  if (node.constant("epsilon") && !kFolded.has(node)) {
    const double epsilon = view.number("epsilon");
    if (epsilon > 0 || kNorms.has(node)) small_constant(node, epsilon, "epsilon", report);
  }
  if (kFloors.has(node) && feeds_ratio(*node.output()) && view.number("alpha") > 0)
    small_constant(node, view.number("alpha"), "floor", report);
  if (kMaxima.has(node) && feeds_ratio(*node.output())) {
    const Constant* least = node.constant("y") ? node.constant("y") : node.constant("x");
    if (least && least->count() == 1 && scalar(*least) > 0) small_constant(node, scalar(*least), "floor", report);
  }
  if (!kSums.has(node)) return;
  const Constant* added = node.constant("y") ? node.constant("y") : node.constant("x");
  const auto& uses = node.output()->uses;
  const bool under_root = std::any_of(uses.begin(), uses.end(), [&](const Use& use) { return kRoots.has(*use.node); });
  if (added && under_root && added->count() == 1) small_constant(node, scalar(*added), "epsilon added in", report);
}

// x·x and x²: what they bear is 256.
bool is_square(const Node& node) {
  constexpr Ops kSquares{"square", "reduce_sum_square"}, kProducts{"mul"}, kPowers{"pow"};
  if (kSquares.has(node)) return true;
  if (kProducts.has(node)) return node.input("x") && node.input("x") == node.input("y");
  const Constant* exponent = kPowers.has(node) ? node.constant("y") : nullptr;
  return exponent && exponent->count() == 1 && scalar(*exponent) == 2;
}

void squares(const Subject& s, Report report) {
  constexpr double kMost = 256;
  const Node* open = nullptr;
  for (const Node* node : s.nodes) {
    if (!is_square(*node) || node->output()->type.tensor_part().dtype != DType::fp16) continue;
    const auto bound = magnitude(*s.function, node->input("x"));
    if (!bound && !open) open = node;
    if (!bound || *bound <= kMost) continue;
    Finding& finding = report.at(name_of(*node));
    finding.message = fmt::format("'{}' squares numbers up to {:.4g}, and fp16 ends at 65504", finding.ops[0], *bound);
  }
  if (!open) return;
  Finding& finding = report.open();
  finding.message = fmt::format("not checked, needs data: '{}' overflows where inputs pass 256", name_of(*open));
  finding.ops = {name_of(*open)};
}

void shifted_transpose(const Subject& s, std::size_t i, Report report) {
  const Node& node = *s.nodes[i];
  const Value* weight = node.input("weight");
  if (s.device->generation != Generation::h13 || !node.operand("output_shape") || !weight) return;
  const ConstantView view(node);
  const Dims pad = view.ints("pad"), strides = view.ints("strides");
  const bool uneven = std::adjacent_find(pad.begin(), pad.end(), std::not_equal_to<>()) != pad.end();
  const bool doubles = !strides.empty() && strides.back() == 2 && weight->type.dims.back() == 3;
  if (uneven && doubles) report.at(name_of(node));
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
    .text =
        {.code = "ANE031",
         .name = "small-epsilon",
         .what = "an epsilon or a floor below fp16's normal range (6.1e-5), or an epsilon of 0",
         .why =
             "a subnormal is flushed to zero (seen on M1 and A19 Pro), and what it guards is not guarded: features came "
             "out 1000 times too large",
         .instead = "use 6.1e-5 or more",
         .effect = Effect::hazard,
         .severity = "warn",
         .trust = Trust::reported,
         .source = "numerics study; direct-path measurements on M1; one network on an A19 Pro"},
    .notices = small_epsilon};

constexpr Rule kSquares{.text = {.code = "ANE040",
                                 .name = "square-overflow",
                                 .what = "the square of numbers above 256",
                                 .why = "fp16 ends at 65504; Apple's converter divides by the largest magnitude first",
                                 .instead = "scale down before the square and back after the root",
                                 .effect = Effect::hazard,
                                 .severity = "warn",
                                 .trust = Trust::documented,
                                 .source = "coremltools, the conversion of rms_norm",
                                 .needs_data = true},
                        .surveys = squares};

constexpr Rule kShiftedTranspose{
    .text =
        {.code = "ANE041",
         .name = "shifted-transpose",
         .what =
             "a transposed convolution with a kernel of 3, a stride of 2, uneven padding and its output shape given, on "
             "the M1 generation",
         .why = "its result was shifted and wrong in fp16",
         .instead = "pad evenly and crop, or a kernel of 2 or 4",
         .effect = Effect::hazard,
         .severity = "warn",
         .trust = Trust::reported,
         .source = "coremltools issue 2324 (M1, macOS 14.3)"},
    .ops = {"conv_transpose"},
    .notices = shifted_transpose};

}  // namespace

std::span<const Rule* const> number_rules() {
  static constexpr std::array kRules{&kLongSumRule,  &kAccumulatorRule, &kSubnormalWeights,
                                     &kNormInput,    &kInfiniteMask,    &kWidthSlice,
                                     &kSmallEpsilon, &kSquares,         &kShiftedTranspose};
  return kRules;
}

}  // namespace anemone::plan::ane
