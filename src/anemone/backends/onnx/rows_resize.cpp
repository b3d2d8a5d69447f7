// Resizing. Where Resize means another place, or rounds a place that is exact here, the
// neighbours are named by Gather and the weights by MatMul.
#include <algorithm>
#include <array>
#include <bit>

#include "anemone/backends/onnx/rows.h"
#include "anemone/ops/sampling.h"

namespace anemone::onnx::exporting {
namespace {

/// One dimension to be resized.
struct Side {
  std::size_t axis;
  std::int64_t in, out;
};

Result<std::vector<Side>> sides_of(Emit& e) {
  const Dims &x = e.dims("x"), &y = e.out_type().dims;
  std::vector<Side> sides;
  for (std::size_t d = 0; d < x.size(); ++d) {
    if (x[d] == y[d] && x[d] != kUnknown) continue;
    if (x[d] == kUnknown || y[d] == kUnknown)
      return e.refuse("an extent is not known", "give the input a size with --shapes");
    sides.push_back({d, x[d], y[d]});
  }
  return sides;
}

/// The Resize node. Factors where they are whole, else sizes.
Call resize_call(Emit& e, const std::vector<Side>& sides, Attrs attributes) {
  const Dims& out = e.out_type().dims;
  std::vector<double> factors(out.size(), 1);
  bool exact = true;
  for (const Side& s : sides) {
    factors[s.axis] = static_cast<double>(s.out) / static_cast<double>(s.in);
    exact &= s.out % s.in == 0 || (s.in % s.out == 0 && std::has_single_bit(static_cast<std::uint64_t>(s.in / s.out)));
  }
  Inputs inputs{e.in("x"), nullptr};
  if (exact) {
    inputs.push_back(e.literals(DataType::float32, {static_cast<std::int64_t>(out.size())}, factors));
  } else {
    inputs.push_back(nullptr);
    inputs.push_back(e.int64s(out));
  }
  return {"Resize", std::move(inputs), std::move(attributes)};
}

Call nearest_call(Emit& e, const std::vector<Side>& sides) {
  return resize_call(e, sides,
                     {attr("mode", std::string("nearest")), attr("nearest_mode", std::string("floor")),
                      attr("coordinate_transformation_mode", std::string("asymmetric"))});
}

// Without a mode, element ⌊i · in / out⌋; ONNX Runtime computes that in single precision, where only factors that are
// whole, or halve, come out exactly.
Result<void> nearest(Emit& e, std::string_view mode) {
  TRY(const std::vector<Side> sides, sides_of(e));
  if (sides.empty()) return e.give_value(e.in("x"));
  const bool exact = mode.empty() && std::all_of(sides.begin(), sides.end(), [](const Side& s) {
                       return s.out % s.in == 0 ||
                              (s.in % s.out == 0 && std::has_single_bit(static_cast<std::uint64_t>(s.in / s.out)));
                     });
  if (exact) return e.give(nearest_call(e, sides));
  Value* value = e.in("x");
  for (std::size_t i = 0; i < sides.size(); ++i) {
    const Side& s = sides[i];
    Dims places;
    for (std::int64_t at = 0; at < s.out; ++at) {
      if (mode.empty()) {
        places.push_back(ops::nearest_index(at, s.in, s.out));
      } else {
        const ops::LinearTap tap = ops::linear_tap(ops::sample_position(mode, at, s.in, s.out), s.in);
        places.push_back(tap.weight <= 0.5 ? tap.low : tap.high);
      }
    }
    Call call{"Gather", {value, e.int64s(places)}, {attr("axis", static_cast<std::int64_t>(s.axis))}};
    if (i + 1 == sides.size()) return e.give(std::move(call));
    value = e.make(std::move(call));
  }
  return {};
}

/// The weights of the neighbours, as a matrix [in, out].
Value* weights(Emit& e, std::string_view mode, const Side& s, bool transposed) {
  std::vector<double> matrix(static_cast<std::size_t>(s.in * s.out), 0);
  for (std::int64_t i = 0; i < s.out; ++i) {
    const ops::LinearTap tap = ops::linear_tap(ops::sample_position(mode, i, s.in, s.out), s.in);
    const auto at = [&](std::int64_t from) -> double& {
      return matrix[static_cast<std::size_t>(transposed ? i * s.in + from : from * s.out + i)];
    };
    at(tap.low) += 1 - tap.weight;
    at(tap.high) += tap.weight;
  }
  return e.literals(e.dtype(), transposed ? Dims{s.out, s.in} : Dims{s.in, s.out}, matrix);
}

Result<void> linear(Emit& e, std::string_view mode) {
  TRY(std::vector<Side> sides, sides_of(e));
  const Dims& x = e.dims("x");
  const std::size_t rank = x.size();
  if (mode == "OFFSET_CORNERS") {  // moves even where the size stays
    if (rank < 2 || x[rank - 1] == kUnknown || x[rank - 2] == kUnknown)
      return e.refuse("an extent is not known", "give the input a size with --shapes");
    sides = {{rank - 2, x[rank - 2], e.out_type().dims[rank - 2]},
             {rank - 1, x[rank - 1], e.out_type().dims[rank - 1]}};
  }
  if (sides.empty()) return e.give_value(e.in("x"));
  if (sides.front().axis + 2 < rank)
    return e.refuse("linear interpolation along more than the last two dimensions", "reshape around it");
  const bool single = std::any_of(sides.begin(), sides.end(), [](const Side& s) { return s.out == 1; });
  const bool aligned = mode == "ALIGN_CORNERS" || mode == "STRICT_ALIGN_CORNERS";
  if (rank == 4 && mode != "OFFSET_CORNERS" && !(aligned && single)) {
    const char* word = aligned ? "align_corners" : mode == "UNALIGN_CORNERS" ? "half_pixel" : "asymmetric";
    return e.give(resize_call(
        e, sides, {attr("mode", std::string("linear")), attr("coordinate_transformation_mode", std::string(word))}));
  }
  Value* value = e.in("x");
  for (std::size_t i = 0; i < sides.size(); ++i) {
    const bool last = sides[i].axis + 1 == rank;
    Value* matrix = weights(e, mode, sides[i], !last);
    Call call{"MatMul", last ? Inputs{value, matrix} : Inputs{matrix, value}, {}};
    if (i + 1 == sides.size()) return e.give(std::move(call));
    value = e.make(std::move(call));
  }
  return {};
}

Result<void> to_nearest(Emit& e) { return nearest(e, ""); }
Result<void> upsample_bilinear(Emit& e) {
  const bool align = e.flag("align_corners"),
             half = e.has("half_pixel_centers") ? e.flag("half_pixel_centers") : !align;
  return linear(e, align ? "STRICT_ALIGN_CORNERS" : half ? "UNALIGN_CORNERS" : "DEFAULT");
}
Result<void> resize_bilinear(Emit& e) { return linear(e, e.text("sampling_mode")); }
Result<void> resize(Emit& e) {
  const std::string mode = e.text("sampling_mode");
  return e.text("interpolation_mode") == "NEAREST_NEIGHBOR" ? nearest(e, mode) : linear(e, mode);
}

constexpr std::array kRows = {
    RaiseRow{"upsample_nearest_neighbor", to_nearest, "Resize; for factors that are not whole Gather"},
    RaiseRow{"resize_nearest_neighbor", to_nearest, "Resize; for factors that are not whole Gather"},
    RaiseRow{"upsample_bilinear", upsample_bilinear, "Resize; where it has no such places MatMul"},
    RaiseRow{"resize_bilinear", resize_bilinear, "Resize; where it has no such places MatMul"},
    RaiseRow{"resize", resize, "Resize, Gather, MatMul"},
};

}  // namespace

std::span<const RaiseRow> raise_resize() { return kRows; }

}  // namespace anemone::onnx::exporting
