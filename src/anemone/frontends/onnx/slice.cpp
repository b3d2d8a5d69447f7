// Parts of tensors, and margins around them.
#include <fmt/format.h>

#include <algorithm>

#include "anemone/frontends/onnx/lowering.h"

namespace anemone::onnx {
namespace {

struct Range {
  std::int64_t begin = 0, end = 0, step = 1;
  bool to_the_front = false;  ///< a negative step that includes element 0
};

// NumPy's rule: counted from the end where negative, then clamped.
Range clamped(std::int64_t begin, std::int64_t end, std::int64_t step, std::int64_t extent) {
  if (begin < 0) begin += extent;
  if (end < 0) end += extent;
  Range r{0, 0, step};
  if (step > 0) {
    r.begin = std::clamp<std::int64_t>(begin, 0, extent);
    r.end = std::clamp<std::int64_t>(end, 0, extent);
    r.end = std::max(r.begin, r.end);
  } else {
    r.begin = std::clamp<std::int64_t>(begin, -1, extent - 1);
    r.end = std::clamp<std::int64_t>(end, -1, extent - 1);
    r.end = std::min(r.begin, r.end);
    r.to_the_front = r.end < 0;
  }
  return r;
}

void give_sliced(Call& c, const Dims& begins, const Dims& ends, Dims axes, Dims steps) {
  Emit& emit = c.emit();
  const Dims& x = c.dims(0);
  const std::size_t rank = x.size();
  if (axes.empty()) {
    for (std::size_t i = 0; i < begins.size(); ++i) axes.push_back(static_cast<std::int64_t>(i));
  }
  steps.resize(begins.size(), 1);
  if (ends.size() != begins.size() || axes.size() != begins.size())
    Call::refuse("starts, ends and axes are not as many");
  Dims begin(rank, 0), end = x, step(rank, 1);
  std::vector<bool> end_mask(rank, false), named(rank, false);
  bool changes = false, is_empty = false;
  Dims result = x;
  for (std::size_t i = 0; i < begins.size(); ++i) {
    const std::size_t d = Call::axis(axes[i], rank);
    if (steps[i] == 0) Call::refuse("a step of 0");
    if (named[d]) Call::refuse(fmt::format("axis {} is named twice", d));
    named[d] = true;
    const Range r = clamped(begins[i], ends[i], steps[i], x[d]);
    begin[d] = r.begin;
    end[d] = std::max<std::int64_t>(r.end, 0);
    step[d] = r.step;
    end_mask[d] = r.to_the_front;
    const std::int64_t span = r.step > 0 ? r.end - r.begin : r.begin - r.end, size = std::abs(r.step);
    result[d] = (span + size - 1) / size;
    is_empty |= result[d] == 0;
    changes |= result[d] != x[d] || r.step < 0;
  }
  MilValue* value = c.raw(0);
  if (is_empty) return c.give(emit.constant(make_constant(value->type.dtype, result, std::span<const double>())));
  if (!changes) return c.give(value);
  c.give(
      emit.add("slice_by_index",
               {{"x", value}, {"begin", begin}, {"end", end}, {"stride", step}, {"end_mask", make_bools(end_mask)}}));
}
void lower_slice_attributes(Call& c) { give_sliced(c, c.list("starts"), c.list("ends"), c.list("axes"), {}); }
void lower_slice(Call& c) {
  give_sliced(c, c.ints(1), c.ints(2), c.has(3) ? c.ints(3) : Dims{}, c.has(4) ? c.ints(4) : Dims{});
}

// Margins of x along each axis, of other modes than `constant`: which element stands where.
Dims border_indices(std::string_view mode, std::int64_t extent, std::int64_t before, std::int64_t after) {
  if (extent < 1) Call::refuse("margins around nothing");
  Dims indices;
  indices.reserve(table_size({before + extent + after}));
  for (std::int64_t i = -before; i < extent + after; ++i) {
    std::int64_t at = i;
    if (mode == "edge") {
      at = std::clamp<std::int64_t>(i, 0, extent - 1);
    } else if (mode == "wrap") {
      at = ((i % extent) + extent) % extent;
    } else {  // reflect
      const std::int64_t period = std::max<std::int64_t>(2 * (extent - 1), 1);
      at = ((i % period) + period) % period;
      if (at >= extent) at = period - at;
    }
    indices.push_back(at);
  }
  return indices;
}

MilValue* constant_margins(Emit& emit, MilValue* x, const Dims& before, const Dims& after, MilValue* fill) {
  const ConstantPtr known = emit.known(fill);
  if (is_float(x->type.dtype) && known) {
    Dims pads;
    for (std::size_t d = 0; d < before.size(); ++d) {
      pads.push_back(before[d]);
      pads.push_back(after[d]);
    }
    return emit.add("pad",
                    {{"x", x}, {"pad", pads}, {"mode", "constant"}, {"constant_val", emit.number(x, scalar(*known))}});
  }
  for (std::size_t d = 0; d < before.size(); ++d) {
    std::vector<MilValue*> parts{x};
    Dims margin = x->type.dims;
    const auto block = [&](std::int64_t n) {
      margin[d] = n;
      return known ? emit.fill(x->type.dtype, margin, scalar(*known))
                   : emit.broadcast(emit.reshape(fill, Dims(margin.size(), 1)), margin);
    };
    if (before[d] > 0) parts.insert(parts.begin(), block(before[d]));
    if (after[d] > 0) parts.push_back(block(after[d]));
    x = emit.concat(parts, static_cast<std::int64_t>(d));
  }
  return x;
}

// pads: all begins, then all ends, of the named axes. Negative ones cut.
void give_padded(Call& c, const Dims& pads, const Dims& axes, MilValue* fill) {
  Emit& emit = c.emit();
  const Dims x = c.dims(0);
  const std::size_t rank = x.size(), count = axes.empty() ? rank : axes.size();
  if (pads.size() != 2 * count) Call::refuse(fmt::format("{} pads for {} axes", pads.size(), count));
  Dims before(rank, 0), after(rank, 0);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t d = axes.empty() ? i : Call::axis(axes[i], rank);
    before[d] = pads[i];
    after[d] = pads[i + count];
  }
  MilValue* value = c.in(0);
  for (std::size_t d = 0; d < rank; ++d) {
    if (before[d] < 0 || after[d] < 0) {
      value = emit.slice(value, static_cast<std::int64_t>(d), std::max<std::int64_t>(-before[d], 0),
                         x[d] - std::max<std::int64_t>(-after[d], 0));
    }
    before[d] = std::max<std::int64_t>(before[d], 0);
    after[d] = std::max<std::int64_t>(after[d], 0);
  }
  const std::string mode = c.text("mode", "constant");
  const Dims now = value->type.dims;
  bool any = false, in_planes = true, reflects = true;
  for (std::size_t d = 0; d < rank; ++d) {
    any |= before[d] + after[d] > 0;
    if (before[d] + after[d] > 0 && d + 2 < rank) in_planes = false;
    if (std::max(before[d], after[d]) > now[d] - (mode == "edge" ? 0 : 1)) reflects = false;
  }
  if (!any) return c.give(value);
  if (mode == "constant")
    return c.give(constant_margins(emit, value, before, after, fill ? fill : emit.constant(emit.number(value, 0))));
  if (mode != "edge" && mode != "reflect" && mode != "wrap") Call::refuse(fmt::format("mode '{}'", mode));
  if (mode != "wrap" && in_planes && reflects && rank >= 2 && is_float(value->type.dtype)) {
    const Dims margins{before[rank - 2], after[rank - 2], before[rank - 1], after[rank - 1]};
    return c.give(
        emit.add("pad", {{"x", value}, {"pad", margins}, {"mode", mode == "edge" ? "replicate" : "reflect"}}));
  }
  for (std::size_t d = 0; d < rank; ++d) {
    if (before[d] + after[d] > 0)
      value = emit.pick(value, static_cast<std::int64_t>(d), border_indices(mode, now[d], before[d], after[d]));
  }
  c.give(value);
}
void lower_pad_attributes(Call& c) {
  const Dims pads = c.has_attribute("pads") ? c.list("pads") : c.list("paddings");
  give_padded(c, pads, {}, c.emit().constant(c.emit().number(c.in(0), c.number("value", 0))));
}
void lower_pad(Call& c) { give_padded(c, c.ints(1), c.has(3) ? c.ints(3) : Dims{}, c.has(2) ? c.in(2) : nullptr); }

// The middle of what is too large, zeros around what is too small.
void lower_center_crop_pad(Call& c) {
  Emit& emit = c.emit();
  const Dims shape = c.ints(1);
  Dims axes = c.list("axes");
  const std::size_t rank = c.rank(0);
  if (axes.empty()) {
    for (std::size_t d = 0; d < rank; ++d) axes.push_back(static_cast<std::int64_t>(d));
  }
  if (shape.size() != axes.size()) Call::refuse("as many extents as axes are wanted");
  count_of(shape);
  MilValue* value = c.in(0);
  Dims before(rank, 0), after(rank, 0);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::size_t d = Call::axis(axes[i], rank);
    const std::int64_t extent = value->type.dims[d], missing = shape[i] - extent;
    if (missing < 0) {
      const std::int64_t begin = -missing / 2;
      value = emit.slice(value, static_cast<std::int64_t>(d), begin, begin + shape[i]);
    } else {
      before[d] = missing / 2;
      after[d] = missing - before[d];
    }
  }
  c.give(constant_margins(emit, value, before, after, emit.constant(emit.number(value, 0))));
}

// Of before opset 1: a border [left, top, right, bottom] is cut off, or a window of `scale` [height, width] is left.
void lower_crop(Call& c) {
  Emit& emit = c.emit();
  const Dims border = c.list("border"), scale = c.list("scale");
  const Dims& x = c.dims(0);
  if (x.size() != 4 || border.size() != 4) Call::refuse("four dimensions and four borders are wanted");
  const std::int64_t bottom = scale.size() == 2 ? border[1] + scale[0] : x[2] - border[3],
                     right = scale.size() == 2 ? border[0] + scale[1] : x[3] - border[2];
  c.give(emit.slice(emit.slice(c.in(0), 2, border[1], bottom), 3, border[0], right));
}

constexpr Row kRows[] = {
    {"Slice", 1, lower_slice_attributes},
    {"Slice", 10, lower_slice, "bounds computed from data"},
    {"Pad", 1, lower_pad_attributes},
    {"Pad", 11, lower_pad, "pads computed from data"},
    {"CenterCropPad", 18, lower_center_crop_pad},
    {"Crop", 1, lower_crop},
};

}  // namespace

std::span<const Row> slice_lowerings() { return kRows; }

}  // namespace anemone::onnx
