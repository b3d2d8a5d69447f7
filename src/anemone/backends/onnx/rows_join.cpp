// concat, stack, split, tile, pad, and what moves elements along an axis.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "anemone/backends/onnx/rows.h"

namespace anemone::onnx::exporting {
namespace {

Result<void> concat(Emit& e) {
  const Dims& out = e.out_type().dims;
  const std::int64_t axis = e.axis("axis", e.out_type().rank());
  Inputs values = e.all("values");
  const std::vector<MilValue*>& operands = e.node().operand("values")->values;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (operands[i]->type.dims.empty()) values[i] = e.unsqueeze(values[i], {0});  // a scalar counts as a vector
  }
  if (!e.flag("interleave") || values.size() == 1) return e.give("Concat", std::move(values), {attr("axis", axis)});
  if (std::count(out.begin(), out.end(), kUnknown) > 1)
    return e.refuse("values of unknown extents, interleaved", "give the input a size with --shapes");
  for (Value*& value : values) value = e.unsqueeze(value, {axis + 1});
  Value* side_by_side = e.make("Concat", std::move(values), {attr("axis", axis + 1)});
  return e.give("Reshape", {side_by_side, e.int64s(out)});
}

Result<void> stack(Emit& e) {
  const std::int64_t axis = e.axis("axis", e.out_type().rank());
  Inputs values = e.all("values");
  for (Value*& value : values) value = e.unsqueeze(value, {axis});
  return e.give("Concat", std::move(values), {attr("axis", axis)});
}

Result<void> split(Emit& e) {
  const std::int64_t axis = e.axis("axis", e.rank());
  const auto a = static_cast<std::size_t>(axis);
  const std::size_t count = e.node().outputs.size();
  if (count == 1) return e.give_value(e.in("x"));
  Dims sizes;
  for (const auto& output : e.node().outputs) sizes.push_back(output->type.dims[a]);
  const bool equal = std::all_of(sizes.begin(), sizes.end(), [&](std::int64_t s) { return s == sizes[0]; });
  Inputs inputs{e.in("x")};
  Attrs attributes{attr("axis", axis)};
  if (!equal) inputs.push_back(e.int64s(sizes));
  // ONNX asks for one of the two from opset 18 on.
  if (equal && e.opset() >= 18) attributes.push_back(attr("num_outputs", static_cast<std::int64_t>(count)));
  return e.give("Split", std::move(inputs), std::move(attributes));
}

Result<void> tile(Emit& e) { return e.give("Tile", {e.in("x"), e.in_int64("reps")}); }

Result<void> pad(Emit& e) {
  const auto rank = static_cast<std::size_t>(e.rank());
  const Constant* given = e.constant("pad");
  if (!given) return e.refuse("margins that come at run time", "use a pad that is a constant");
  const Dims pad = to_ints(*given);
  const std::size_t first = rank - pad.size() / 2;
  Dims pads(2 * rank, 0);
  for (std::size_t i = 0; 2 * i < pad.size(); ++i) {
    pads[first + i] = pad[2 * i];
    pads[rank + first + i] = pad[2 * i + 1];
  }
  const std::string mode = e.text("mode");
  if (mode == "constant") return e.give("Pad", {e.in("x"), e.int64s(pads), e.literal(e.number("constant_val"))});
  return e.give("Pad", {e.in("x"), e.int64s(pads)},
                {attr("mode", std::string(mode == "reflect" ? "reflect" : "edge"))});
}

Result<void> reverse_sequence(Emit& e) {
  const std::int64_t time = e.axis("seq_axis", e.rank()), batch = e.axis("batch_axis", e.rank());
  if (time + batch != 1)
    return e.refuse(
        fmt::format("sequences along axis {} of samples along {}; ReverseSequence takes 0 and 1", time, batch),
        "transpose around it");
  return e.give("ReverseSequence", {e.in("x"), e.in_int64("lengths")},
                {attr("time_axis", time), attr("batch_axis", batch)});
}

Result<void> band_part(Emit& e) {
  const Dims& x = e.dims("x");
  const std::int64_t rows = x[x.size() - 2], columns = x[x.size() - 1];
  if (rows == kUnknown || columns == kUnknown)
    return e.refuse("the size of the matrices is not known", "give the input a size with --shapes");
  const std::int64_t lower = e.integer("lower"), upper = e.integer("upper");
  std::vector<double> kept;
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t c = 0; c < columns; ++c)
      kept.push_back((lower < 0 || r - c <= lower) && (upper < 0 || c - r <= upper));
  }
  return e.give("Where", {e.literals(DataType::boolean, {rows, columns}, kept), e.in("x"), e.literal(0)});
}

Result<void> cumsum(Emit& e) {
  Value* axis = e.literal(static_cast<double>(e.axis("axis", e.rank())), DataType::int64);
  return e.give(
      "CumSum", {e.in("x"), axis},
      {attr("exclusive", std::int64_t{e.flag("exclusive")}), attr("reverse", std::int64_t{e.flag("reverse")})});
}

// Gather puts the windows, [count, size] of positions, in the place of the axis.
Result<void> sliding_windows(Emit& e) {
  const std::int64_t axis = e.axis("axis", e.rank()), size = e.integer("size"), stride = e.integer("stride");
  const std::int64_t count = e.out_type().dims[static_cast<std::size_t>(axis)];
  if (count == kUnknown) return e.refuse("the extent of the axis is not known", "give the input a size with --shapes");
  std::vector<double> places;
  for (std::int64_t w = 0; w < count; ++w) {
    for (std::int64_t i = 0; i < size; ++i) places.push_back(static_cast<double>(w * stride + i));
  }
  return e.give("Gather", {e.in("x"), e.literals(DataType::int64, {count, size}, places)}, {attr("axis", axis)});
}

constexpr std::array kRows = {
    RaiseRow{"concat", concat, "Concat; interleaved Unsqueeze, Concat, Reshape"},
    RaiseRow{"stack", stack, "Unsqueeze, Concat"},
    RaiseRow{"split", split, "Split"},
    RaiseRow{"tile", tile, "Tile"},
    RaiseRow{"pad", pad, "Pad"},
    RaiseRow{"reverse_sequence", reverse_sequence, "ReverseSequence"},
    RaiseRow{"band_part", band_part, "Where"},
    RaiseRow{"cumsum", cumsum, "CumSum"},
    RaiseRow{"sliding_windows", sliding_windows, "Gather"},
};

}  // namespace

std::span<const RaiseRow> raise_join() { return kRows; }

}  // namespace anemone::onnx::exporting
