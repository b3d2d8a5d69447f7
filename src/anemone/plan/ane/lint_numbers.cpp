// fp16 hazards that weights and constants show by themselves.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <unordered_map>

#include "anemone/ir/op_def.h"
#include "anemone/plan/ane/lint.h"
#include "anemone/plan/ane/verdict.h"
#include "anemone/support/half.h"

namespace anemone::ane {
namespace {

constexpr double kSmallestNormal = 6.103515625e-5;  // 2^-14
constexpr double kAccumulator = 32768;              // the multiply-accumulate unit's fixed point ends here
constexpr double kMostlySubnormal = 0.25;           // folding 1/255 into weights makes 28 % subnormal
constexpr std::int64_t kLongSum = 256;

std::span<const std::uint16_t> halves(const Value* value) {
  if (!value || !value->constant || value->constant->type.dtype != DType::fp16 || !value->constant->missing.empty())
    return {};
  return elements_as<std::uint16_t>(*value->constant);
}

double subnormal_share(std::span<const std::uint16_t> bits) {
  std::uint32_t small = 0, other = 0;
  for (const std::uint16_t b : bits) {
    const auto magnitude = static_cast<std::uint16_t>(b & 0x7fff);
    small += static_cast<std::uint16_t>(magnitude - 1) < 0x3ff;
    other += magnitude >= 0x400;
  }
  return small + other == 0 ? 0
                            : static_cast<double>(small) / (static_cast<double>(small) + static_cast<double>(other));
}

// The largest Σ|w| of an output channel: what the accumulator holds when every input is 1.
double largest_row(std::span<const std::uint16_t> bits, std::int64_t rows) {
  if (rows <= 0 || bits.empty()) return 0;
  const std::size_t width = bits.size() / static_cast<std::size_t>(rows);
  double largest = 0;
  for (std::size_t row = 0; row < static_cast<std::size_t>(rows); ++row) {
    std::array<float, 16> lanes{};
    const std::uint16_t* at = bits.data() + row * width;
    std::size_t i = 0;
    for (; i + 16 <= width; i += 16) {
      // Normal numbers alone: rebiasing the exponent is all the conversion they need; subnormals add nothing that
      // counts.
      for (std::size_t k = 0; k < 16; ++k) {
        lanes[k] += std::bit_cast<float>((static_cast<std::uint32_t>(at[i + k] & 0x7fff) << 13) + 0x38000000u);
      }
    }
    double sum = 0;
    for (const float lane : lanes) sum += lane;
    for (; i < width; ++i) sum += std::abs(float_from_half(at[i]));
    largest = std::max(largest, sum);
  }
  return largest;
}

// The largest magnitude that operations guarantee, without looking at data; nothing when they guarantee none.
std::optional<double> magnitude(const Value* value, int depth = 0) {
  const Node* node = value ? value->producer : nullptr;
  if (!node || depth > 8) return std::nullopt;
  const ConstantView view(*node);
  if (node->type == "sigmoid" || node->type == "tanh" || node->type == "softmax" || node->type == "sigmoid_hard")
    return 1;
  if (node->type == "relu6") return 6;
  if (node->type == "clip")
    return std::max(std::abs(view.number("alpha", -INFINITY)), std::abs(view.number("beta", INFINITY)));
  if (node->type == "relu" || node->type == "max_pool" || node->type == "avg_pool" ||
      node->type == "upsample_nearest_neighbor" || node->type == "reshape" || node->type == "transpose" ||
      node->type == "slice_by_index" || node->type == "cast") {
    return magnitude(node->input("x"), depth + 1);
  }
  return std::nullopt;
}

// Images hold 0…255; a scale and a bias on the way change that.
std::optional<double> image_magnitude(const Placed& p, const Value* value, int depth = 0) {
  if (!value || depth > 6) return std::nullopt;
  if (!value->producer) {
    const Feature* feature = p.function->interface.input(value->name);
    return feature && feature->kind == Feature::Kind::image ? std::optional<double>(255) : std::nullopt;
  }
  const Node& node = *value->producer;
  if (node.type == "cast") return image_magnitude(p, node.input("x"), depth + 1);
  if (node.type != "mul" && node.type != "add") return std::nullopt;
  for (const auto& [data, other] : {std::pair("x", "y"), std::pair("y", "x")}) {
    const Constant* constant = node.constant(other);
    if (!constant || constant->count() > 4) continue;
    const auto inner = image_magnitude(p, node.input(data), depth + 1);
    if (!inner) return std::nullopt;
    double most = 0;
    for (const double c : to_doubles(*constant)) most = std::max(most, std::abs(c));
    return node.type == "mul" ? *inner * most : *inner + most;
  }
  return std::nullopt;
}

struct Accumulators {
  double largest = 0;  ///< Σ|w| where nothing bounds the input
  const Node* where = nullptr;
};

void lint_weights(const Placed& p, const Node& node, Accumulators& open, Findings& findings) {
  if (node.type != "conv" && node.type != "linear" && node.type != "conv_transpose") return;
  const Value* weight = node.input("weight");
  const auto bits = halves(weight);
  if (bits.size() < 16) return;
  const double share = subnormal_share(bits);
  if (share > kMostlySubnormal) {
    Finding& finding = findings.at("ANE015", node);
    if (finding.message.empty())
      finding.message =
          fmt::format("{:.0f} % of the weights of '{}' are subnormal in fp16", 100 * share, finding.ops[0]);
  }
  if (node.type == "conv_transpose") return;  // its rows are not its output channels
  const double sum = largest_row(bits, weight->type.dims[0]);
  auto bound = magnitude(node.input("x"));
  if (!bound) bound = image_magnitude(p, node.input("x"));
  if (!bound || !std::isfinite(*bound)) {
    if (sum > open.largest) open = {sum, &node};
    return;
  }
  double bias = 0;
  if (const Constant* b = node.constant("bias"); b && b->missing.empty()) {
    for (const double v : to_doubles(*b)) bias = std::max(bias, std::abs(v));
  }
  if (*bound * sum + bias < kAccumulator) return;
  Finding& finding = findings.at("ANE014", node);
  finding.message =
      fmt::format("sums of '{}' may reach {:.0f}: inputs up to {:.4g} times weights that add up to {:.4g}",
                  finding.ops[0], *bound * sum + bias, *bound, sum);
}

bool feeds_ratio(const Value& value, int& budget, int depth = 0) {
  for (const Node* user : value.users) {
    if (--budget < 0) return false;
    if (user->type == "real_div" || user->type == "inverse") return true;
    const bool passes = user->type == "clip" || user->type == "add" || user->type == "maximum" ||
                        user->type == "reshape" || user->type == "expand_dims" || user->type == "squeeze" ||
                        user->type == "reduce_sum";
    if (passes && depth < 3 && feeds_ratio(*user->output(), budget, depth + 1)) return true;
  }
  return false;
}

bool feeds_ratio(const Value& value) {
  int budget = 200;  // users looked at
  return feeds_ratio(value, budget);
}

void lint_sums(const Node& node, Findings& findings) {
  if (node.type != "reduce_sum" && node.type != "reduce_mean") return;
  const Value* x = node.input("x");
  const auto in = x ? element_count(x->type.dims) : std::nullopt, out = element_count(node.output()->type.dims);
  if (!in || !out || *out <= 0 || *in / *out <= kLongSum || !feeds_ratio(*node.output())) return;
  Finding& finding = findings.at("ANE013", node);
  finding.message = fmt::format("{} sums of up to {} elements feed a ratio", finding.ops.size(), *in / *out);
}

void lint_constants(const Node& node, Findings& findings) {
  const ConstantView view(node);
  const bool half = !node.outputs.empty() && node.output()->type.tensor_part().dtype == DType::fp16;
  const auto small = [&](double v, std::string_view what) {
    if (!half || v <= 0 || v >= kSmallestNormal) return;
    Finding& finding = findings.at("ANE031", node);
    if (finding.message.empty())
      finding.message =
          fmt::format("the {} of '{}' is {:.3g}, and fp16's normal range begins at 6.1e-5", what, finding.ops[0], v);
  };
  if (node.constant("epsilon") && node.type != "batch_norm") small(view.number("epsilon", 0), "epsilon");
  if (node.type == "clip" && feeds_ratio(*node.output())) small(view.number("alpha", 0), "floor");
  const bool masks = node.type == "add" || node.type == "select" || node.type == "sub" || node.type == "mul" ||
                     node.type == "minimum" || node.type == "maximum";
  if (!masks) return;
  for (const Operand& operand : node.operands()) {
    for (const Value* value : operand.values) {
      const auto bits = halves(value);
      if (std::find(bits.begin(), bits.end(), std::uint16_t{0xfc00}) != bits.end()) findings.at("ANE020", node);
    }
  }
}

}  // namespace

void lint_numbers(const Placed& p, Findings& findings, bool weights) {
  Accumulators open;
  const Node* norm = nullptr;
  for (const Node* node : p.nodes) {
    if (weights) lint_weights(p, *node, open, findings);
    lint_sums(*node, findings);
    lint_constants(*node, findings);
    if (!norm && node->type == "instance_norm") norm = node;
  }
  if (open.where) {
    Finding& f = findings.open("ANE014");
    f.message =
        fmt::format("not checked, needs data: '{}' saturates where inputs pass {:.0f} (its weights add up to {:.4g})",
                    open.where->output()->name, kAccumulator / open.largest, open.largest);
    f.ops = {open.where->output()->name};
  }
  if (norm) {
    Finding& f = findings.open("ANE017");
    f.message = "not checked, needs data: the deviation of what goes into instance_norm";
    f.ops = {norm->output()->name};
  }
}

}  // namespace anemone::ane
