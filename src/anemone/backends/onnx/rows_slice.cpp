// Parts of tensors, and tensors with a part replaced.
#include <algorithm>
#include <array>
#include <numeric>

#include "anemone/backends/onnx/rows.h"

namespace anemone::onnx::exporting {
namespace {

// Beyond every extent: Slice clamps.
constexpr std::int64_t kFirst = -2147483647, kLast = 2147483647;

struct Masks {
  std::vector<bool> begin, end, squeeze;
  Dims stride;
  Masks(const Emit& e, std::size_t rank)
      : begin(e.flags("begin_mask", rank)),
        end(e.flags("end_mask", rank)),
        squeeze(e.flags("squeeze_mask", rank)),
        stride(e.ints("stride", rank)) {
    for (std::size_t d = 0; d < rank; ++d) {
      if (squeeze[d]) stride[d] = 1;
    }
  }
};

Dims squeezed_axes(const Masks& m) {
  Dims axes;
  for (std::size_t d = 0; d < m.squeeze.size(); ++d) {
    if (m.squeeze[d]) axes.push_back(static_cast<std::int64_t>(d));
  }
  return axes;
}

/// What is left of a slice when the dimensions of single indices are gone.
Call squeezed(Emit& e, Call slice, const Masks& m) {
  const Dims axes = squeezed_axes(m);
  return axes.empty() ? slice : Call{"Squeeze", {e.make(std::move(slice)), e.int64s(axes)}, {}};
}

// Of dimensions that are kept whole Slice says nothing.
Call with_constants(Emit& e, Value* value, const Masks& m, const Dims& begin, const Dims& end) {
  Dims starts, ends, axes, steps;
  const Dims& x = e.dims("x");
  for (std::size_t d = 0; d < x.size(); ++d) {
    const bool forward = m.stride[d] > 0;
    const std::int64_t start = m.begin[d] ? (forward ? 0 : kLast) : begin[d];
    std::int64_t stop = m.end[d] ? (forward ? kLast : kFirst) : end[d];
    if (m.squeeze[d]) stop = start == -1 ? kLast : start + 1;
    const bool whole = m.stride[d] == 1 && !m.squeeze[d] && (start == 0 || (x[d] != kUnknown && start <= -x[d])) &&
                       (stop == kLast || (x[d] != kUnknown && stop >= x[d]));
    if (whole) continue;
    starts.push_back(start);
    ends.push_back(stop);
    axes.push_back(static_cast<std::int64_t>(d));
    steps.push_back(m.stride[d]);
  }
  if (axes.empty()) return {"Identity", {value}, {}};
  Call slice{"Slice", {value, e.int64s(starts), e.int64s(ends), e.int64s(axes)}, {}};
  if (std::any_of(steps.begin(), steps.end(), [](std::int64_t s) { return s != 1; }))
    slice.inputs.push_back(e.int64s(steps));
  return squeezed(e, std::move(slice), m);
}

/// A vector that comes at run time, with numbers of its own where the mask is set.
Value* masked(Emit& e, Value* given, const std::vector<bool>& mask, const Dims& instead) {
  if (std::none_of(mask.begin(), mask.end(), [](bool m) { return m; })) return given;
  Value* chosen = e.literals(DataType::boolean, {static_cast<std::int64_t>(mask.size())},
                             std::vector<double>(mask.begin(), mask.end()));
  return e.make("Where", {chosen, e.int64s(instead), given});
}

/// The part of `value`, which has the shape of x, that begin, end and the masks name.
Call part(Emit& e, Value* value) {
  const auto rank = static_cast<std::size_t>(e.rank());
  const Masks m(e, rank);
  const Constant *begin = e.constant("begin"), *end = e.constant("end");
  bool end_unused = true;
  for (std::size_t d = 0; d < rank; ++d) end_unused &= m.end[d] || m.squeeze[d];
  if (begin && (end || end_unused))
    return with_constants(e, value, m, to_ints(*begin), end ? to_ints(*end) : Dims(rank, 0));
  Dims firsts(rank), lasts(rank), axes(rank);
  std::iota(axes.begin(), axes.end(), 0);
  for (std::size_t d = 0; d < rank; ++d) {
    firsts[d] = m.stride[d] > 0 ? 0 : kLast;
    lasts[d] = m.stride[d] > 0 ? kLast : kFirst;
  }
  Value* starts = masked(e, e.in_int64("begin"), m.begin, firsts);
  Value* ends = masked(e, e.in_int64("end"), m.end, lasts);
  if (!squeezed_axes(m).empty()) {  // one element; behind the last one, which is -1, there is the end
    Value* next = e.make("Add", {starts, e.int64s(Dims(rank, 1))});
    Value* is_last = e.make("Equal", {next, e.int64s(Dims(rank, 0))});
    next = e.make("Where", {is_last, e.int64s(Dims(rank, kLast)), next});
    Value* single = e.literals(DataType::boolean, {static_cast<std::int64_t>(rank)},
                               std::vector<double>(m.squeeze.begin(), m.squeeze.end()));
    ends = e.make("Where", {single, next, ends});
  }
  return squeezed(e, {"Slice", {value, starts, ends, e.int64s(axes), e.int64s(m.stride)}, {}}, m);
}

Result<void> slice_by_index(Emit& e) {
  Call call = part(e, e.in("x"));
  return call.op == "Identity" ? e.give_value(call.inputs[0]) : e.give(std::move(call));
}

Result<void> slice_by_size(Emit& e) {
  const Dims& x = e.dims("x");
  const auto rank = x.size();
  const Constant *begin = e.constant("begin"), *size = e.constant("size");
  Dims axes(rank);
  std::iota(axes.begin(), axes.end(), 0);
  if (begin && size) {
    Dims starts = to_ints(*begin), ends = to_ints(*size);
    for (std::size_t d = 0; d < rank; ++d) {
      const bool rest = ends[d] == -1 || (starts[d] < 0 && starts[d] + ends[d] == 0);
      ends[d] = rest ? kLast : starts[d] + ends[d];
    }
    return e.give("Slice", {e.in("x"), e.int64s(starts), e.int64s(ends), e.int64s(axes)});
  }
  if (!e.type("x").is_fixed() || !size)
    return e.refuse("a part whose size comes at run time", "give the input a size with --shapes");
  const Dims wanted = to_ints(*size);
  std::vector<bool> rest;
  for (const std::int64_t extent : wanted) rest.push_back(extent == -1);
  Value* starts = e.in_int64("begin");
  Value* wrapped = e.make("Add", {starts, e.int64s(x)});
  starts = e.make("Where", {e.make("Less", {starts, e.int64s(Dims(rank, 0))}), wrapped, starts});
  Value* ends = masked(e, e.make("Add", {starts, e.int64s(wanted)}), rest, Dims(rank, kLast));
  return e.give("Slice", {e.in("x"), starts, ends, e.int64s(axes)});
}

// Through the places of the elements in memory: the slice of their numbers says which are replaced.
Result<void> slice_update(Emit& e) {
  if (!e.type("x").is_fixed()) return e.refuse("x has no fixed shape", "give the input a size with --shapes");
  const Dims& x = e.dims("x");
  std::vector<double> places(static_cast<std::size_t>(*element_count(x)));
  std::iota(places.begin(), places.end(), 0);
  Value* replaced = e.make(part(e, e.literals(DataType::int64, x, places)));
  Value* updated = e.make("ScatterElements",
                          {e.reshape(e.in("x"), {-1}), e.reshape(replaced, {-1}), e.reshape(e.in("update"), {-1})},
                          {attr("axis", std::int64_t{0})});
  return e.give("Reshape", {updated, e.int64s(x)});
}

Result<void> crop(Emit& e) {
  const Dims height = e.ints("crop_height"), width = e.ints("crop_width");
  const std::int64_t rank = e.rank();
  const auto end = [](std::int64_t cut) { return cut == 0 ? kLast : -cut; };
  return e.give("Slice", {e.in("x"), e.int64s({height[0], width[0]}), e.int64s({end(height[1]), end(width[1])}),
                          e.int64s({rank - 2, rank - 1})});
}

Result<void> reverse(Emit& e) {
  const Dims axes = e.axes("axes", e.rank());
  const std::size_t n = axes.size();
  if (n == 0) return e.give_value(e.in("x"));
  return e.give("Slice",
                {e.in("x"), e.int64s(Dims(n, -1)), e.int64s(Dims(n, kFirst)), e.int64s(axes), e.int64s(Dims(n, -1))});
}

constexpr std::array kRows = {
    RaiseRow{"slice_by_index", slice_by_index, "Slice, Squeeze"},
    RaiseRow{"slice_by_size", slice_by_size, "Slice"},
    RaiseRow{"slice_update", slice_update, "Slice, Reshape, ScatterElements"},
    RaiseRow{"crop", crop, "Slice"},
    RaiseRow{"reverse", reverse, "Slice"},
};

}  // namespace

std::span<const RaiseRow> raise_slice() { return kRows; }

}  // namespace anemone::onnx::exporting
