// What leaves the elements in their order, transpose, and shapes as values.
#include <algorithm>
#include <array>

#include "anemone/backends/onnx/rows.h"

namespace anemone::onnx::exporting {
namespace {

/// Into the shape of the result, of which one extent may be unknown.
Result<void> to_result(Emit& e) {
  Dims to = e.out_type().dims;
  if (std::count(to.begin(), to.end(), kUnknown) > 1)
    return e.refuse("more than one extent of the result is not known", "give the input a size with --shapes");
  return e.give("Reshape", {e.in("x"), e.int64s(to)});  // an unknown extent is -1 here and there
}

Result<void> reshape(Emit& e) {
  const Dims& out = e.out_type().dims;
  if (e.constant("shape") || (e.out_type().ranked && std::count(out.begin(), out.end(), kUnknown) <= 1))
    return to_result(e);
  return e.give("Reshape", {e.in("x"), e.in_int64("shape")});
}

// give_value would do for most of them, but the axes tell a reader more than a shape.
Result<void> expand_dims(Emit& e) {
  const Dims axes = e.axes("axes", e.out_type().rank());
  return e.give("Unsqueeze", {e.in("x"), e.int64s(axes)});
}

Result<void> squeeze(Emit& e) {
  Dims axes = e.has("axes") ? e.ints("axes") : Dims{};
  for (std::int64_t d = 0; d < e.rank() && !e.has("axes"); ++d) {
    if (e.dims("x")[static_cast<std::size_t>(d)] == 1) axes.push_back(d);
  }
  Dims ones;
  for (const std::int64_t axis : axes) {
    const std::int64_t d = axis < 0 ? axis + e.rank() : axis;
    if (const std::int64_t extent = e.dims("x")[static_cast<std::size_t>(d)]; extent == 1 || extent == kUnknown)
      ones.push_back(d);
  }
  if (ones.empty()) return e.give_value(e.in("x"));
  return e.give("Squeeze", {e.in("x"), e.int64s(ones)});
}

Result<void> transpose(Emit& e) {
  Dims perm = e.ints("perm");
  for (std::int64_t& axis : perm) axis = axis < 0 ? axis + e.rank() : axis;
  return e.give("Transpose", {e.in("x")}, {attr("perm", std::move(perm))});
}

Result<void> shape(Emit& e) {
  return e.give("Cast", {e.make("Shape", {e.in("x")})}, {attr("to", static_cast<std::int64_t>(e.dtype()))});
}

constexpr std::array kRows = {
    RaiseRow{"reshape", reshape, "Reshape"},           RaiseRow{"reshape_like", to_result, "Reshape"},
    RaiseRow{"expand_dims", expand_dims, "Unsqueeze"}, RaiseRow{"squeeze", squeeze, "Squeeze"},
    RaiseRow{"flatten2d", to_result, "Reshape"},       RaiseRow{"transpose", transpose, "Transpose"},
    RaiseRow{"shape", shape, "Shape, Cast"},
};

}  // namespace

std::span<const RaiseRow> raise_shape() { return kRows; }

}  // namespace anemone::onnx::exporting
