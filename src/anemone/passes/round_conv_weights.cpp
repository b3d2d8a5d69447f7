// Rounds weights of convolutions to fp16 so that their errors cancel.
// before:  %y = conv(x, W)
// after:   %y = conv(x, cast(V, "fp32")), where every number of V is one of the two fp16 numbers next to that of W
// only if: W is a plain fp32 constant that fits in fp16, and the convolution will not stay fp32
// why:     what a convolution sums up is rectified as a rule, and numbers that are never negative turn errors of the
//          weights into a shift of the result: sum of errors times mean. Rounding each to its nearest leaves that sum to
//          chance. The idea is that of SQuant (C. Guo et al., 2022), where integers are rounded.
#include <algorithm>
#include <bit>
#include <memory>
#include <numeric>
#include <optional>

#include "anemone/ir/builder.h"
#include "anemone/ir/rewrite.h"
#include "anemone/passes/fp16/half_constants.h"
#include "anemone/passes/pass.h"
#include "anemone/support/mapping.h"

namespace anemone::passes {
namespace {

// E[x]E[x'] / E[x²] of rectified normal numbers that know nothing of each other: (1/2π) / (1/2).
constexpr float kAlike = 0.318309886F;

constexpr std::size_t kLanes = 16;  // rows at a time: a row's sum depends on all before, and rows on nothing
constexpr std::size_t kColumns =
    64;  // of these rows at a time, turned in the nearest cache so that lanes are neighbours

struct Lanes {
  float sum[kLanes] = {};
  std::uint32_t turned[kLanes] = {}, moved[kLanes] = {};
};

// Along a row of errors e, the expected square of the result is E[x²]·((1 - a)·Σe² + a·(Σe)²). A weight takes its other
// neighbour where that makes the sum over those before it smaller. Normal halves are floats whose last 13 bits are zero,
// so that neighbours are 2^13 apart; what is not between two of them stays, and is rounded later. No branches: nothing
// could predict them, and the compiler makes vectors of it.
void round_column(float* weights, Lanes& lanes) {
  constexpr std::uint32_t kLeastNormal = 0x38800000, kLargest = 0x477fe000;  // fp16's, as floats
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    const float exact = weights[lane];
    const auto bits = std::bit_cast<std::uint32_t>(exact);
    const std::uint32_t rounded = (bits + 0x0fffU + ((bits >> 13) & 1U)) & ~0x1fffU;
    const float near = std::bit_cast<float>(rounded), error = near - exact, total = lanes.sum[lane] + error;
    const std::uint32_t error_bits = std::bit_cast<std::uint32_t>(error), outwards = (error_bits ^ bits) >> 31;
    const float step = std::bit_cast<float>(rounded - 0x2000U + (outwards << 14)) - near;
    const float more = ((1 - kAlike) * (2 * error + step) + kAlike * (2 * total + step)) * step;
    const std::uint32_t inside = (rounded & 0x7fffffffU) - kLeastNormal - 1U < kLargest - kLeastNormal - 1U ? ~0U : 0U;
    const std::uint32_t inexact = error != 0 ? ~0U : 0U, less = more < 0 ? ~0U : 0U, turn = inside & inexact & less;
    const float turned = std::bit_cast<float>(std::bit_cast<std::uint32_t>(step) & turn);
    const float settled = near + turned;
    const std::uint32_t moved = std::bit_cast<std::uint32_t>(error + turned) & inside;
    weights[lane] = std::bit_cast<float>((std::bit_cast<std::uint32_t>(settled) & inside) | (bits & ~inside));
    lanes.sum[lane] += std::bit_cast<float>(moved);
    lanes.turned[lane] += turn & 1U;
    lanes.moved[lane] |= moved;
  }
}

struct Rounded {
  std::shared_ptr<std::uint16_t[]> halves;
  std::size_t turned = 0;  // to the neighbour that is not the nearest
  bool moved = false;      // false: all were halves already, or are rounded later
};

// Nothing when a weight does not fit. Straight to halves, and once through memory: there may be gigabytes.
std::optional<Rounded> round_rows(std::span<const float> wide, std::size_t rows) {
  Rounded result{std::shared_ptr<std::uint16_t[]>(new std::uint16_t[wide.size()])};
  const std::size_t width = wide.size() / rows;
  float tile[kColumns * kLanes] = {};
  std::uint16_t halves[kColumns * kLanes];
  for (std::size_t row = 0; row < rows; row += kLanes) {
    const std::size_t used = std::min(kLanes, rows - row);
    const std::span<const float> from = wide.subspan(row * width, used * width);
    if (!fit_half(from)) return std::nullopt;
    Lanes lanes;
    for (std::size_t first = 0; first < width; first += kColumns) {
      const std::size_t columns = std::min(kColumns, width - first);
      for (std::size_t lane = 0; lane < used; ++lane) {
        const float* const line = from.data() + lane * width + first;
        for (std::size_t i = 0; i < columns; ++i) tile[i * kLanes + lane] = line[i];
      }
      for (std::size_t i = 0; i < columns; ++i) round_column(tile + i * kLanes, lanes);
      to_halves(std::span(tile, columns * kLanes), wide.size(), halves);
      for (std::size_t lane = 0; lane < used; ++lane) {
        std::uint16_t* const line = result.halves.get() + (row + lane) * width + first;
        for (std::size_t i = 0; i < columns; ++i) line[i] = halves[i * kLanes + lane];
      }
    }
    result.turned = std::accumulate(lanes.turned, lanes.turned + used, result.turned);
    result.moved |= std::any_of(lanes.moved, lanes.moved + used, [](std::uint32_t bits) { return bits != 0; });
    rest_mappings_after(from.size_bytes());
  }
  return result;
}

}  // namespace

Result<bool> round_conv_weights(Block& block, PassContext& context) {
  bool changed = false;
  for (Node& conv : block.nodes) {
    if (conv.type != "conv") continue;
    const Value* weight = conv.input("weight");
    const Constant* wide = payload(weight);
    if (!wide || wide->type.dtype != DType::fp32 || wide->count() == 0) continue;
    if (const std::string why = context.wide(conv); !why.empty()) {
      context.remark(conv, "kept: it stays fp32: " + why);
      continue;
    }
    const std::size_t rows = static_cast<std::size_t>(wide->type.dims[0]);
    const std::optional<Rounded> rounded = round_rows(elements_as<float>(*wide), rows);
    if (!rounded) {
      context.remark(conv, "kept: its weight does not fit in fp16");
      continue;
    }
    if (!rounded->moved) continue;
    context.count("weights turned", rounded->turned);
    context.count("convolutions rounded");
    // Kept as halves, so that the wide ones need not be: add_fp16_cast takes what is widened as it is.
    const std::span halves(rounded->halves.get(), elements_as<float>(*wide).size());
    const Type type = Type::tensor(DType::fp16, wide->type.dims);
    Builder builder(conv);
    Value* const kept =
        builder.constant(make_constant(type, {rounded->halves, std::as_bytes(halves)}), weight->name + "_rounded");
    conv.set("weight", builder.add("cast", {{"x", kept}, {"dtype", "fp32"}}));
    changed = true;
  }
  return changed;
}

}  // namespace anemone::passes
