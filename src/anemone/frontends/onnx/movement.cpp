// Shapes and places: what moves elements and computes nothing.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "anemone/frontends/onnx/lowering.h"

namespace anemone::onnx {
namespace {

constexpr std::int64_t kLargestBlock = 1 << 15;

void lower_identity(Call& c) { c.give(0, c.lowered(0)); }

// In inference; the mask lets everything pass.
void lower_dropout(Call& c) {
  if (const ConstantPtr training = c.opset() >= 12 ? c.known(2) : nullptr; c.opset() >= 12 && c.has(2)) {
    const ConstantPtr ratio = c.known(1);
    const bool drops = !training || scalar(*training) != 0;
    if (drops && (!c.has(1) || !ratio || scalar(*ratio) != 0))
      Call::refuse("training mode", "export the model in evaluation mode");
  }
  if (c.wants(1)) c.give(1, c.emit().fill(c.opset() >= 10 ? DType::boolean : c.in(0)->type.dtype, c.dims(0), 1));
  c.give(0, c.lowered(0));
}

// Types of elements that come at run time with an unknown shape pass too, where no extent is asked for.
void give_reshaped(Call& c, const Dims& dims) {
  MilValue* x = c.raw(0);
  c.give(x->type.is_fixed() ? c.emit().reshape(x, dims) : c.emit().add("reshape", {{"x", x}, {"shape", dims}}));
}

// −1: what is left; 0: as in x.
Dims resolved_shape(const Dims& x, Dims shape, bool allow_zero) {
  std::int64_t rest = count_of(x);
  std::ptrdiff_t open = -1;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    if (shape[d] == 0 && !allow_zero) {
      if (d >= x.size())
        Call::refuse(fmt::format("the shape {} copies an extent that {} does not have", brief(shape), brief(x)));
      shape[d] = x[d];
    }
    if (shape[d] == -1) {
      open = static_cast<std::ptrdiff_t>(d);
    } else if (shape[d] > 0) {
      rest = rest % shape[d] == 0 ? rest / shape[d] : -1;
    }
  }
  if (open >= 0) shape[static_cast<std::size_t>(open)] = rest;
  if (count_of(shape) != count_of(x)) Call::refuse(fmt::format("{} has no form {}", brief(x), brief(shape)));
  return shape;
}
void lower_reshape(Call& c) {
  const std::optional<Dims> shape = c.ints(1, "shape");
  if (!shape) Call::refuse("no shape is given");
  if (!c.raw(0)->type.is_fixed()) return give_reshaped(c, *shape);
  give_reshaped(c, resolved_shape(c.dims(0), *shape, c.flag("allowzero", false)));
}

void lower_flatten(Call& c) {
  const Dims& x = c.dims(0);
  std::int64_t axis = c.integer("axis", 1);
  if (axis < 0) axis += static_cast<std::int64_t>(x.size());
  if (axis < 0 || axis > static_cast<std::int64_t>(x.size()))
    Call::refuse(fmt::format("axis {} of {}", axis, brief(x)));
  const auto middle = x.begin() + axis;
  give_reshaped(c, {count_of(Dims(x.begin(), middle)), count_of(Dims(middle, x.end()))});
}

std::vector<bool> marked(const Dims& axes, std::size_t rank) {
  std::vector<bool> marks(rank, false);
  for (const std::int64_t axis : axes) {
    const std::size_t at = Call::axis(axis, rank);
    if (marks[at]) Call::refuse(fmt::format("an axis twice in {}", brief(axes)));
    marks[at] = true;
  }
  return marks;
}
void lower_squeeze(Call& c) {
  const std::optional<Dims> axes = c.ints(1, "axes");
  MilValue* value = c.raw(0);
  if (!value->type.is_fixed() && axes) return c.give(c.emit().add("squeeze", {{"x", value}, {"axes", *axes}}));
  const Dims& x = c.dims(0);
  std::vector<bool> removed(x.size());
  if (axes) {
    removed = marked(*axes, x.size());
  } else {
    for (std::size_t d = 0; d < x.size(); ++d) removed[d] = x[d] == 1;
  }
  Dims out;
  for (std::size_t d = 0; d < x.size(); ++d) {
    if (!removed[d]) out.push_back(x[d]);
    if (removed[d] && x[d] != 1) Call::refuse(fmt::format("axis {} of {} is not 1", d, brief(x)));
  }
  if (out.empty() && !x.empty()) return c.give(c.emit().add("squeeze", {{"x", value}}));
  give_reshaped(c, out);
}
void lower_unsqueeze(Call& c) {
  const std::optional<Dims> axes = c.ints(1, "axes");
  if (!axes) Call::refuse("no axes are given");
  MilValue* value = c.raw(0);
  if (!value->type.is_fixed() || value->type.dims.empty())
    return c.give(c.emit().add("expand_dims", {{"x", value}, {"axes", *axes}}));
  const Dims& x = c.dims(0);
  const std::vector<bool> added = marked(*axes, x.size() + axes->size());
  Dims out;
  auto next = x.begin();
  for (const bool is_new : added) out.push_back(is_new ? 1 : *next++);
  give_reshaped(c, out);
}

void lower_transpose(Call& c) {
  MilValue* x = c.raw(0);
  Dims perm = c.list("perm");
  const std::size_t rank = x->type.dims.size();
  if (perm.empty()) {
    for (std::size_t d = rank; d-- > 0;) perm.push_back(static_cast<std::int64_t>(d));
  }
  Dims sorted = perm;
  std::sort(sorted.begin(), sorted.end());
  Dims all(rank);
  std::iota(all.begin(), all.end(), 0);
  if (sorted != all) Call::refuse(fmt::format("perm {} of rank {}", brief(perm), rank));
  c.give(c.emit().transpose(x, perm));
}

void lower_concat(Call& c) {
  std::vector<MilValue*> values;
  bool mixed = false;
  for (std::size_t i = 0; i < c.inputs(); ++i) {
    MilValue* value = c.raw(i);
    if (value->type.is_fixed() && count_of(value->type.dims) == 0) continue;  // adds nothing
    values.push_back(value);
    mixed |= value->type.dtype != values[0]->type.dtype;
  }
  if (values.empty()) return c.give(c.raw(0));
  if (mixed) {
    for (MilValue*& value : values) value = c.emit().cast(value, DType::int32);
  }
  const std::size_t rank = values[0]->type.dims.size();
  const std::size_t axis = Call::axis(c.integer("axis", 1), rank);
  c.give(c.emit().concat(values, static_cast<std::int64_t>(axis)));
}

void lower_split(Call& c) {
  const Dims& x = c.dims(0);
  const std::size_t axis = Call::axis(c.integer("axis", 0), x.size());
  const std::optional<Dims> given = c.ints(1, "split");
  Dims sizes = given.value_or(Dims{});
  const auto parts = static_cast<std::int64_t>(c.outputs());
  if (parts < 1) Call::refuse("no outputs");
  if (!given) {  // equal parts; the last one may be smaller
    const std::int64_t each = (x[axis] + parts - 1) / parts;
    for (std::int64_t i = 0; i < parts; ++i) sizes.push_back(std::min(each, x[axis] - i * each));
  }
  if (static_cast<std::int64_t>(sizes.size()) != parts)
    Call::refuse(fmt::format("{} parts for {} outputs", sizes.size(), parts));
  check_parts(sizes, x[axis]);
  Emit& emit = c.emit();
  if (std::find_if(sizes.begin(), sizes.end(), [](std::int64_t n) { return n < 1; }) != sizes.end() || parts == 1) {
    std::int64_t begin = 0;
    for (std::size_t i = 0; i < sizes.size(); begin += sizes[i++]) {
      Dims none = x;
      none[axis] = 0;
      MilValue* part = sizes[i] > 0
                           ? emit.slice(c.raw(0), static_cast<std::int64_t>(axis), begin, begin + sizes[i])
                           : emit.constant(make_constant(c.raw(0)->type.dtype, none, std::span<const double>()));
      c.give(i, part);
    }
    return;
  }
  const std::vector<MilValue*> values =
      emit.add_all("split", {{"x", c.raw(0)}, {"split_sizes", sizes}, {"axis", static_cast<std::int64_t>(axis)}});
  for (std::size_t i = 0; i < values.size(); ++i) c.give(i, values[i]);
}

void lower_expand(Call& c) {
  const Dims& x = c.dims(0);
  c.give(c.emit().broadcast(c.raw(0), broadcast_dims(x, c.ints(1))));
}

void lower_tile_1(Call& c) {
  const Dims& x = c.dims(0);
  Dims reps(x.size(), 1);
  reps[Call::axis(c.ints(2).at(0), x.size())] = c.ints(1).at(0);
  c.give(c.emit().add("tile", {{"x", c.raw(0)}, {"reps", reps}}));
}
void lower_tile(Call& c) {
  const Dims reps = c.ints(1);
  if (std::all_of(reps.begin(), reps.end(), [](std::int64_t n) { return n == 1; })) return c.give(c.raw(0));
  c.give(c.emit().add("tile", {{"x", c.raw(0)}, {"reps", reps}}));
}

// Blocks of channels and planes, for dtypes and ranks that MIL's own operation does not take.
void give_blocks(Call& c, const Dims& apart, const Dims& perm, const Dims& out) {
  Emit& emit = c.emit();
  c.give(emit.reshape(emit.transpose(emit.reshape(c.raw(0), apart), perm), out));
}
void lower_depth_to_space(Call& c) {
  const Dims& x = c.dims(0);
  const std::int64_t b = c.integer("blocksize", 0);
  if (x.size() != 4 || b < 1 || b > kLargestBlock || x[1] % (b * b) != 0)
    Call::refuse(fmt::format("blocks of {} out of {}", b, brief(x)));
  const bool crd = c.text("mode", "DCR") == "CRD";
  if (is_float(c.raw(0)->type.dtype)) {
    return c.give(crd ? c.emit().add("pixel_shuffle", {{"x", c.in(0)}, {"upscale_factor", b}})
                      : c.emit().add("depth_to_space", {{"x", c.in(0)}, {"block_size", b}}));
  }
  const std::int64_t channels = x[1] / (b * b);
  give_blocks(c, crd ? Dims{x[0], channels, b, b, x[2], x[3]} : Dims{x[0], b, b, channels, x[2], x[3]},
              crd ? Dims{0, 1, 4, 2, 5, 3} : Dims{0, 3, 4, 1, 5, 2}, {x[0], channels, x[2] * b, x[3] * b});
}
void lower_space_to_depth(Call& c) {
  const Dims& x = c.dims(0);
  const std::int64_t b = c.integer("blocksize", 0);
  if (x.size() != 4 || b < 1 || b > kLargestBlock || x[2] % b != 0 || x[3] % b != 0)
    Call::refuse(fmt::format("blocks of {} out of {}", b, brief(x)));
  if (is_float(c.raw(0)->type.dtype))
    return c.give(c.emit().add("space_to_depth", {{"x", c.in(0)}, {"block_size", b}}));
  give_blocks(c, {x[0], x[1], x[2] / b, b, x[3] / b, b}, {0, 3, 5, 1, 2, 4}, {x[0], x[1] * b * b, x[2] / b, x[3] / b});
}

void lower_reverse_sequence(Call& c) {
  c.give(c.emit().add("reverse_sequence", {{"x", c.raw(0)},
                                           {"lengths", c.in(1)},
                                           {"seq_axis", c.integer("time_axis", 0)},
                                           {"batch_axis", c.integer("batch_axis", 1)}}));
}

// Elements above or below a diagonal; the rest is 0.
void lower_trilu(Call& c) {
  Emit& emit = c.emit();
  const Dims& x = c.dims(0);
  if (x.size() < 2) Call::refuse("an input without rows and columns");
  const std::int64_t rows = x[x.size() - 2], columns = x.back();
  const std::int64_t k = c.has(1) ? c.ints(1).at(0) : 0;
  const bool upper = c.flag("upper", true);
  std::vector<double> keep;
  keep.reserve(table_size({rows, columns}));
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < columns; ++j) keep.push_back(upper ? j - i >= k : j - i <= k);
  }
  MilValue* mask = emit.constant(make_constant(DType::boolean, {rows, columns}, std::span<const double>(keep)));
  MilValue* value = c.in(0);
  c.give(emit.add("select", {{"cond", mask}, {"a", value}, {"b", emit.number(value, 0)}}));
}

constexpr Row kRows[] = {
    {"Identity", 1, lower_identity},
    {"Dropout", 1, lower_dropout, "training mode"},
    {"Reshape", 1, lower_reshape},
    {"Flatten", 1, lower_flatten},
    {"Squeeze", 1, lower_squeeze},
    {"Unsqueeze", 1, lower_unsqueeze},
    {"Transpose", 1, lower_transpose},
    {"Concat", 1, lower_concat},
    {"Split", 1, lower_split},
    {"Expand", 8, lower_expand},
    {"Tile", 1, lower_tile_1},
    {"Tile", 6, lower_tile},
    {"DepthToSpace", 1, lower_depth_to_space},
    {"SpaceToDepth", 1, lower_space_to_depth},
    {"ReverseSequence", 10, lower_reverse_sequence},
    {"Trilu", 14, lower_trilu},
};

}  // namespace

std::span<const Row> movement_lowerings() { return kRows; }

}  // namespace anemone::onnx
