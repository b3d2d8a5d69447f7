// Bounds on numbers, from weights and operations.
#include "anemone/plan/ane/weights.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "anemone/ir/rewrite.h"
#include "anemone/plan/rule.h"
#include "anemone/support/half.h"

namespace anemone::plan::ane {

std::span<const std::uint16_t> halves(const Value* value) {
  const Constant* constant = payload(value);
  if (!constant || constant->type.dtype != DType::fp16) return {};
  return elements_as<std::uint16_t>(*constant);
}

// It runs over every weight of a package: counters as narrow as they can be, so that a vector holds many.
double subnormal_share(std::span<const std::uint16_t> bits) {
  constexpr std::size_t kBlock = 0xffff;  // what a counter of 16 bits can count
  std::uint64_t nonzero = 0, normal = 0;
  for (; !bits.empty(); bits = bits.subspan(std::min(kBlock, bits.size()))) {
    std::uint16_t nonzero_here = 0, normal_here = 0;
    for (const std::uint16_t b : bits.first(std::min(kBlock, bits.size()))) {
      const auto magnitude = static_cast<std::int16_t>(b & 0x7fff);
      nonzero_here = static_cast<std::uint16_t>(nonzero_here + (magnitude > 0));
      normal_here = static_cast<std::uint16_t>(normal_here + (magnitude >= 0x400));
    }
    nonzero += nonzero_here;
    normal += normal_here;
  }
  return nonzero == 0 ? 0 : static_cast<double>(nonzero - normal) / static_cast<double>(nonzero);
}

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

namespace {

constexpr Ops kWithinOne{"sigmoid", "tanh", "softmax", "sigmoid_hard"}, kWithinSix{"relu6"}, kClips{"clip"};
// Gives nothing that did not go in, or 0.
constexpr Ops kKeepsMagnitude{"relu",    "max_pool",  "avg_pool",       "upsample_nearest_neighbor",
                              "reshape", "transpose", "slice_by_index", "cast"};

std::optional<double> by_operations(const Value* value, int depth = 0) {
  const Node* node = value ? value->producer : nullptr;
  if (!node || depth > 8) return std::nullopt;
  if (kWithinOne.has(*node)) return 1;
  if (kWithinSix.has(*node)) return 6;
  if (kClips.has(*node)) {
    const ConstantView view(*node);
    return std::max(std::abs(view.number("alpha")), std::abs(view.number("beta")));
  }
  return kKeepsMagnitude.has(*node) ? by_operations(node->input("x"), depth + 1) : std::nullopt;
}

// Images hold 0…255; a scale and a bias on the way change that.
std::optional<double> by_image(const Function& function, const Value* value, int depth = 0) {
  constexpr Ops kCast{"cast"}, kScale{"mul"}, kShift{"add"};
  if (!value || depth > 6) return std::nullopt;
  if (!value->producer) {
    const Feature* feature = function.interface.input(value->name);
    return feature && feature->kind == Feature::Kind::image ? std::optional<double>(255) : std::nullopt;
  }
  const Node& node = *value->producer;
  if (kCast.has(node)) return by_image(function, node.input("x"), depth + 1);
  if (!kScale.has(node) && !kShift.has(node)) return std::nullopt;
  for (const auto& [data, other] : {std::pair("x", "y"), std::pair("y", "x")}) {
    const Constant* constant = node.constant(other);
    if (!constant || constant->count() > 4) continue;
    const auto inner = by_image(function, node.input(data), depth + 1);
    if (!inner) return std::nullopt;
    double most = 0;
    for (const double c : to_doubles(*constant)) most = std::max(most, std::abs(c));
    return kScale.has(node) ? *inner * most : *inner + most;
  }
  return std::nullopt;
}

}  // namespace

std::optional<double> magnitude(const Function& function, const Value* value) {
  auto bound = by_operations(value);
  if (!bound) bound = by_image(function, value);
  return bound && std::isfinite(*bound) ? bound : std::nullopt;
}

}  // namespace anemone::plan::ane
