// Each operation by what it can return at most; a bound is rounded as the elements are, which keeps their order.
#include "anemone/passes/bounds.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string_view>

#include "anemone/ir/op_def.h"
#include "anemone/ir/rewrite.h"
#include "anemone/passes/clamp.h"

namespace anemone::passes {
namespace {

constexpr int kMostSteps = 8;  // what is further away is hardly ever what bounds
constexpr std::int64_t kMostElements = 1 << 16;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Range {
  std::string_view type;
  double low, high;
};
constexpr std::array kRanges{
    Range{"sigmoid", 0, 1},
    Range{"sigmoid_hard", 0, 1},
    Range{"softmax", 0, 1},
    Range{"tanh", -1, 1},
    Range{"softsign", -1, 1},
    Range{"erf", -1, 1},
    Range{"sin", -1, 1},
    Range{"cos", -1, 1},
    Range{"abs", 0, kInfinity},
    Range{"square", 0, kInfinity},
    Range{"sqrt", 0, kInfinity},
    Range{"exp", 0, kInfinity},
    Range{"exp2", 0, kInfinity},
    Range{"reduce_l1_norm", 0, kInfinity},
    Range{"reduce_l2_norm", 0, kInfinity},
    Range{"reduce_sum_square", 0, kInfinity},
};

Bounds of_constant(const Constant& constant) {
  if (!constant.type.is_tensor() || constant.is_string() || constant.count() < 1 || constant.count() > kMostElements)
    return {};
  const std::vector<double> all = to_doubles(constant);
  if (all.empty() || std::any_of(all.begin(), all.end(), [](double v) { return std::isnan(v); })) return {};
  const auto [low, high] = std::minmax_element(all.begin(), all.end());
  return {*low, *high, false};
}

// Elements of x and no others, in some order and some of them perhaps left out.
bool only_moves(const Node& node) {
  return is(node, kView) || node.type == "transpose" || node.type == "slice_by_index" ||
         node.type == "upsample_nearest_neighbor";
}

Bounds of(const Value& value, int steps);

std::optional<Bounds> of_result(const Node& node, int steps) {
  const auto inside = [steps](const Value* operand) { return operand ? of(*operand, steps - 1) : Bounds{}; };
  if (const auto clamp = clamp_of(node)) {
    const Bounds x = inside(clamp->x);
    const auto clamped = [&](double v) { return std::min(std::max(v, clamp->low), clamp->high); };
    return Bounds{clamped(x.low), clamped(x.high), x.may_be_nan};
  }
  if (only_moves(node)) return inside(node.input("x"));
  if (node.type == "maximum" || node.type == "minimum") {
    const Bounds x = inside(node.input("x")), y = inside(node.input("y"));
    const bool nan = x.may_be_nan || y.may_be_nan;
    return node.type == "maximum" ? Bounds{std::max(x.low, y.low), std::max(x.high, y.high), nan}
                                  : Bounds{std::min(x.low, y.low), std::min(x.high, y.high), nan};
  }
  if (node.type == "cast") {
    const DType from = node.input("x")->type.dtype, to = node.output()->type.dtype;
    if (from == DType::boolean) return Bounds{0, 1, false};
    return is_float(to) ? std::optional(inside(node.input("x"))) : std::nullopt;  // whole numbers wrap
  }
  if (!is_float(node.output()->type.dtype)) return std::nullopt;  // squares of whole numbers wrap below 0
  const auto range = std::find_if(kRanges.begin(), kRanges.end(), [&](const Range& r) { return r.type == node.type; });
  return range == kRanges.end() ? std::nullopt : std::optional(Bounds{range->low, range->high, true});
}

Bounds of(const Value& value, int steps) {
  if (!value.type.is_tensor()) return {};
  if (const Constant* constant = payload(&value)) return of_constant(*constant);
  const Node* node = value.producer;
  Bounds bounds = node && steps > 0 ? of_result(*node, steps).value_or(Bounds{}) : Bounds{};
  if (!is_float(value.type.dtype)) {
    bounds.may_be_nan = false;
    return bounds;
  }
  const auto rounded = [&](double v) { return scalar(*make_scalar(value.type.dtype, v)); };
  return {rounded(bounds.low), rounded(bounds.high), bounds.may_be_nan};
}

}  // namespace

Bounds bounds_of(const Value& value) { return of(value, kMostSteps); }

}  // namespace anemone::passes
