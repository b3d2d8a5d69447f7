// Elements by their index, taken and put.
#include <fmt/format.h>

#include <algorithm>

#include "anemone/frontends/onnx/lowering.h"

namespace anemone::onnx {
namespace {

// Indices count from the end where they are negative; MIL's do not (ios17). Known ones are rewritten now.
MilValue* from_the_front(Emit& emit, MilValue* indices, std::int64_t extent) {
  if (const ConstantPtr known = emit.known(indices)) {
    Dims values = to_ints(*known);
    if (std::all_of(values.begin(), values.end(), [](std::int64_t i) { return i >= 0; })) return emit.constant(known);
    for (std::int64_t& i : values) i += i < 0 ? extent : 0;
    return emit.constant(
        make_constant(DType::int32, known->type.dims, std::vector<double>(values.begin(), values.end())));
  }
  if (indices->producer && indices->producer->def &&
      (indices->producer->type == "reduce_argmax" || indices->producer->type == "reduce_argmin" ||
       indices->producer->type == "topk" || indices->producer->type == "non_zero"))
    return indices;
  MilValue* is_front = emit.add("greater_equal", {{"x", indices}, {"y", emit.number(indices, 0)}});
  return emit.add("select",
                  {{"cond", is_front}, {"a", indices}, {"b", emit.add2(indices, static_cast<double>(extent))}});
}

void lower_gather(Call& c) {
  Emit& emit = c.emit();
  const Dims& x = c.dims(0);
  const std::size_t axis = Call::axis(c.integer("axis", 0), x.size());
  MilValue* indices = from_the_front(emit, c.in(1), x[axis]);
  // One element: a slice, which needs no table of indices and runs anywhere.
  if (const ConstantPtr known = emit.known(indices); known && known->count() == 1) {
    const std::int64_t i = to_ints(*known)[0];
    if (i < 0 || i >= x[axis]) Call::refuse(fmt::format("index {} of {}", i, x[axis]));
    MilValue* slice = emit.slice(c.raw(0), static_cast<std::int64_t>(axis), i, i + 1);
    Dims dims = x;
    dims.erase(dims.begin() + static_cast<std::ptrdiff_t>(axis));
    dims.insert(dims.begin() + static_cast<std::ptrdiff_t>(axis), known->type.dims.begin(), known->type.dims.end());
    if (dims.empty()) return c.give(emit.add("squeeze", {{"x", slice}}));
    return c.give(emit.reshape(slice, dims));
  }
  c.give(emit.add("gather", {{"x", c.raw(0)}, {"indices", indices}, {"axis", static_cast<std::int64_t>(axis)}}));
}

void lower_gather_elements(Call& c) {
  const Dims& x = c.dims(0);
  const Dims& at = c.dims(1);
  const std::size_t axis = Call::axis(c.integer("axis", 0), x.size());
  Emit& emit = c.emit();
  MilValue* value = c.raw(0);
  for (std::size_t d = 0; d < x.size(); ++d) {  // MIL wants the other extents equal
    if (d != axis && d < at.size() && at[d] < x[d]) value = emit.slice(value, static_cast<std::int64_t>(d), 0, at[d]);
  }
  c.give(emit.add(
      "gather_along_axis",
      {{"x", value}, {"indices", from_the_front(emit, c.in(1), x[axis])}, {"axis", static_cast<std::int64_t>(axis)}}));
}

// The last dimension of the indices counts in dimensions of x from `first` on.
MilValue* positions_from_the_front(Call& c, std::size_t first) {
  Emit& emit = c.emit();
  const Dims& x = c.dims(0);
  MilValue* indices = c.in(1);
  const std::int64_t depth = c.dims(1).empty() ? 0 : c.dims(1).back();
  if (depth < 1 || static_cast<std::size_t>(depth) + first > x.size())
    Call::refuse(fmt::format("positions of {} numbers in rank {}", depth, x.size()));
  std::vector<double> extents;
  for (std::int64_t i = 0; i < depth; ++i)
    extents.push_back(static_cast<double>(x[first + static_cast<std::size_t>(i)]));
  if (indices->producer && indices->producer->type == "non_zero") return indices;
  if (const ConstantPtr known = emit.known(indices)) {
    std::vector<double> values = to_doubles(*known);
    for (std::size_t i = 0; i < values.size(); ++i)
      if (values[i] < 0) values[i] += extents[i % extents.size()];
    return emit.constant(make_constant(DType::int32, known->type.dims, std::span<const double>(values)));
  }
  MilValue* size = emit.constant(make_constant(DType::int32, {depth}, std::span<const double>(extents)));
  MilValue* is_front = emit.add("greater_equal", {{"x", indices}, {"y", emit.number(indices, 0)}});
  return emit.add("select", {{"cond", is_front}, {"a", indices}, {"b", emit.add2(indices, size)}});
}
void lower_gather_nd(Call& c) {
  const std::int64_t batch = c.integer("batch_dims", 0);
  if (batch < 0) Call::refuse(fmt::format("batch_dims {}", batch));
  MilValue* indices = positions_from_the_front(c, static_cast<std::size_t>(batch));
  if (c.target() < Target::ios16) {
    if (batch != 0) Call::refuse("batch_dims before ios16", "--target ios16 or later");
    return c.give(c.emit().add("gather_nd", {{"x", c.raw(0)}, {"indices", indices}}));
  }
  c.give(c.emit().add("gather_nd", {{"x", c.raw(0)}, {"indices", indices}, {"batch_dims", batch}}));
}

std::string scatter_mode(const Call& c) {
  const std::string reduction = c.text("reduction", "none");
  if (reduction == "none") return "update";
  if (reduction == "add" || reduction == "mul" || reduction == "max" || reduction == "min") return reduction;
  Call::refuse("reduction '" + reduction + "'");
}

// Bools are put as integers.
void give_scattered(Call& c, std::string_view op, MilValue* indices, std::optional<std::int64_t> axis) {
  Emit& emit = c.emit();
  MilValue* data = c.in(0);
  MilValue* updates = c.in(2);
  const DType dtype = data->type.dtype;
  if (dtype == DType::boolean) {
    data = emit.cast(data, DType::int32);
    updates = emit.cast(updates, DType::int32);
  }
  const std::string mode = scatter_mode(c);
  MilValue* y =
      axis ? emit.add(
                 op,
                 {{"data", data}, {"indices", indices}, {"updates", updates}, {"axis", *axis}, {"mode", mode.c_str()}})
           : emit.add(op, {{"data", data}, {"indices", indices}, {"updates", updates}, {"mode", mode.c_str()}});
  c.give(emit.cast(y, dtype));
}
void lower_scatter_elements(Call& c) {
  Emit& emit = c.emit();
  const Dims x = c.dims(0), at = c.dims(1);
  const std::size_t axis = Call::axis(c.integer("axis", 0), x.size());
  if (at.size() != x.size()) Call::refuse(fmt::format("indices {} in {}", brief(at), brief(x)));
  MilValue* indices = from_the_front(emit, c.in(1), x[axis]);
  bool whole = true;
  for (std::size_t d = 0; d < x.size(); ++d) whole &= d == axis || at[d] == x[d];
  if (whole) return give_scattered(c, "scatter_along_axis", indices, static_cast<std::int64_t>(axis));
  // Only a corner of x is written: by full positions instead.
  std::vector<MilValue*> parts;
  Dims one = at;
  one.push_back(1);
  for (std::size_t d = 0; d < x.size(); ++d) {
    if (d == axis) {
      parts.push_back(emit.reshape(indices, one));
      continue;
    }
    std::vector<double> values(table_size(at));
    const Dims strides = row_major_strides(at);
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] = static_cast<double>(static_cast<std::int64_t>(i) / strides[d] % at[d]);
    parts.push_back(emit.constant(make_constant(DType::int32, one, std::span<const double>(values))));
  }
  give_scattered(c, "scatter_nd", emit.concat(parts, static_cast<std::int64_t>(x.size())), std::nullopt);
}
void lower_scatter_nd(Call& c) { give_scattered(c, "scatter_nd", positions_from_the_front(c, 0), std::nullopt); }

void lower_one_hot(Call& c) {
  Emit& emit = c.emit();
  const std::vector<double> values = c.numbers(2);
  const std::int64_t depth = c.ints(1).at(0);
  if (values.size() != 2) Call::refuse("two values are wanted");
  const DType dtype = c.in(2)->type.dtype;
  // Indices are cast and counted from the end where negative; those outside give a row without the on value.
  MilValue* indices = from_the_front(emit, emit.cast(c.in(0), DType::int32), depth);
  const auto rank = static_cast<std::int64_t>(c.rank(0));
  std::int64_t axis = c.integer("axis", -1);
  axis = axis < 0 ? axis + rank + 1 : axis;
  // index == 0, 1 … along the new axis
  Dims classes(static_cast<std::size_t>(rank) + 1, 1);
  classes.at(static_cast<std::size_t>(axis)) = depth;
  std::vector<double> numbers;
  for (std::size_t i = 0, n = table_size({depth}); i < n; ++i) numbers.push_back(static_cast<double>(i));
  MilValue* hit = emit.add("equal", {{"x", emit.add("expand_dims", {{"x", indices}, {"axes", {axis}}})},
                                     {"y", make_constant(DType::int32, classes, std::span<const double>(numbers))}});
  c.give(emit.add(
      "select",
      {{"cond", hit}, {"a", make_scalar(dtype, values[1])}, {"b", emit.fill(dtype, hit->type.dims, values[0])}}));
}

// The elements that a known condition keeps.
void lower_compress(Call& c) {
  Emit& emit = c.emit();
  const std::vector<double> keep = c.numbers(1);
  MilValue* x = c.raw(0);
  std::int64_t axis = 0;
  if (c.has_attribute("axis")) {
    axis = static_cast<std::int64_t>(Call::axis(c.integer("axis", 0), c.rank(0)));
  } else {
    x = emit.reshape(x, {count_of(c.dims(0))});
  }
  Dims indices;
  for (std::size_t i = 0; i < keep.size(); ++i) {
    if (keep[i] != 0 && static_cast<std::int64_t>(i) < x->type.dims[static_cast<std::size_t>(axis)])
      indices.push_back(static_cast<std::int64_t>(i));
  }
  if (indices.empty()) Call::refuse("nothing is kept");
  c.give(emit.pick(x, axis, indices));
}

// [rank, count]: as many columns as the input has elements that are not 0.
void lower_non_zero(Call& c) {
  Emit& emit = c.emit();
  MilValue* x = c.in(0);
  if (const ConstantPtr known = emit.known(x)) {
    const std::vector<double> values = to_doubles(*known);
    const Dims strides = row_major_strides(known->type.dims);
    const std::size_t rank = known->type.dims.size();
    std::vector<std::vector<double>> places(rank);
    for (std::size_t i = 0; i < values.size(); ++i) {
      for (std::size_t d = 0; d < rank && values[i] != 0; ++d)
        places[d].push_back(static_cast<double>(static_cast<std::int64_t>(i) / strides[d] % known->type.dims[d]));
    }
    std::vector<double> all;
    for (const auto& row : places) all.insert(all.end(), row.begin(), row.end());
    const std::int64_t count = rank == 0 ? 0 : static_cast<std::int64_t>(places[0].size());
    return c.give(emit.constant(
        make_constant(DType::int32, {static_cast<std::int64_t>(rank), count}, std::span<const double>(all))));
  }
  c.give(emit.add("transpose", {{"x", emit.add("non_zero", {{"x", x}})}, {"perm", {1, 0}}}));
}

constexpr Row kRows[] = {
    {"Gather", 1, lower_gather},
    {"GatherElements", 11, lower_gather_elements},
    {"GatherND", 11, lower_gather_nd},
    {"Scatter", 9, lower_scatter_elements},
    {"ScatterElements", 11, lower_scatter_elements},
    {"ScatterND", 11, lower_scatter_nd},
    {"OneHot", 9, lower_one_hot, "a depth computed from data"},
    {"Compress", 9, lower_compress, "a condition computed from data"},
    {"NonZero", 9, lower_non_zero},
};

}  // namespace

std::span<const Row> gather_lowerings() { return kRows; }

}  // namespace anemone::onnx
