// Operations that bring elements to other places. Where the result lies in one piece in its input, it is a view of it.
#include "anemone/runtime/cpu/move.h"

#include <algorithm>

#include "anemone/ops/eval_util.h"
#include "anemone/ops/infer_util.h"
#include "anemone/runtime/cpu/half_round.h"
#include "anemone/runtime/kernel_table.h"
#include "anemone/support/half.h"

namespace anemone::runtime {

using namespace cpu;
namespace {

/// A box of x: out[i] = x[begin + i * stride], in the rank of x.
struct Box {
  Dims begin, stride, extents;
};

/// Its elements follow one another in x: only the outermost dimension that it takes in part has others inside it, and
/// those are taken whole.
bool in_one_piece(const Box& box, const Dims& dims) {
  bool inside_whole = true;  // the dimensions further in
  for (std::size_t d = dims.size(); d-- > 0;) {
    if (box.extents[d] != 1 && (!inside_whole || box.stride[d] != 1)) return false;
    inside_whole = inside_whole && box.extents[d] == dims[d];
  }
  return true;
}

void take_box(const std::string& type, const Value& out, const Ref& from, const Dims& dims, Box box, Lowering& l) {
  if (in_one_piece(box, dims)) {
    Ref view = from;
    view.offset += static_cast<std::int64_t>(ops::offset(box.begin, row_major_strides(dims)));
    view.count = count_of(box.extents);
    return l.alias(out, view);
  }
  const Ref to = l.define(out);
  l.add(type, out, to, {from}, Rounding::exact,
        [=](Frame& f) { slice(f.read(from), dims, box.begin, box.stride, f.write(to), box.extents, *f.pool); });
}

Result<bool> lower_slice_by_index(const Node& node, Lowering& l) {
  const ConstantView v(node);
  const Value* x = node.input("x");
  const Dims& dims = x->type.dims;
  const std::size_t rank = dims.size();
  const Dims begin = v.ints("begin"), end = v.ints("end"), strides = v.ints("stride", Dims(rank, 1));
  const std::vector<bool> from_start = v.flags("begin_mask", rank), to_end = v.flags("end_mask", rank),
                          squeezed = v.flags("squeeze_mask", rank);
  if (begin.size() != rank || end.size() != rank || strides.size() != rank) return false;
  Box box{Dims(rank, 0), Dims(rank, 1), Dims(rank, 1)};
  for (std::size_t d = 0; d < rank; ++d) {  // as numpy counts
    const std::int64_t extent = dims[d], step = squeezed[d] ? 1 : strides[d];
    const std::int64_t lowest = step > 0 ? 0 : -1, highest = step > 0 ? extent : extent - 1;
    const auto clamped = [&](std::int64_t at) { return std::clamp(at < 0 ? at + extent : at, lowest, highest); };
    box.begin[d] = from_start[d] ? (step > 0 ? 0 : extent - 1) : clamped(begin[d]);
    if (squeezed[d]) continue;
    const std::int64_t stop = to_end[d] ? (step > 0 ? extent : -1) : clamped(end[d]);
    box.stride[d] = step;
    box.extents[d] = (std::abs(stop - box.begin[d]) + std::abs(step) - 1) / std::abs(step);
  }
  if (count_of(box.extents) != count_of(node.output()->type.dims)) return false;
  TRY(const Ref from, l.read(*x));
  take_box(node.type, *node.output(), from, dims, std::move(box), l);
  return true;
}

Result<bool> lower_slice_by_size(const Node& node, Lowering& l) {
  const Value* x = node.input("x");
  const Dims& dims = x->type.dims;
  Dims begin = ConstantView(node).ints("begin");
  for (std::size_t d = 0; d < dims.size(); ++d) begin[d] += begin[d] < 0 ? dims[d] : 0;
  TRY(const Ref from, l.read(*x));
  take_box(node.type, *node.output(), from, dims, {begin, Dims(dims.size(), 1), node.output()->type.dims}, l);
  return true;
}

Result<bool> lower_crop(const Node& node, Lowering& l) {
  const ConstantView v(node);
  const Value* x = node.input("x");
  const Dims& dims = x->type.dims;
  Dims begin(dims.size(), 0);
  begin[dims.size() - 2] = v.ints("crop_height")[0];
  begin[dims.size() - 1] = v.ints("crop_width")[0];
  TRY(const Ref from, l.read(*x));
  take_box(node.type, *node.output(), from, dims, {begin, Dims(dims.size(), 1), node.output()->type.dims}, l);
  return true;
}

Result<bool> lower_split(const Node& node, Lowering& l) {
  const Value* x = node.input("x");
  const Dims& dims = x->type.dims;
  const std::size_t axis = ops::wrap_axis(ConstantView(node).integer("axis", 0), x->type.rank());
  TRY(const Ref from, l.read(*x));
  Dims begin(dims.size(), 0);
  for (const auto& out : node.outputs) {
    take_box(node.type, *out, from, dims, {begin, Dims(dims.size(), 1), out->type.dims}, l);
    begin[axis] += out->type.dims[axis];
  }
  return true;
}

Result<bool> lower_reverse(const Node& node, Lowering& l) {
  const ConstantView v(node);
  const Value* x = node.input("x");
  const Dims& dims = x->type.dims;
  Box box{Dims(dims.size(), 0), Dims(dims.size(), 1), dims};
  for (std::size_t d = 0; d < dims.size(); ++d) {
    const Dims axes = v.ints("axes");
    const bool turned = !v.has("axes") || std::any_of(axes.begin(), axes.end(), [&](std::int64_t axis) {
      return ops::wrap_axis(axis, x->type.rank()) == d;
    });
    if (!turned || dims[d] == 1) continue;
    box.begin[d] = dims[d] - 1;
    box.stride[d] = -1;
  }
  TRY(const Ref from, l.read(*x));
  take_box(node.type, *node.output(), from, dims, std::move(box), l);
  return true;
}

/// One step that writes every part to its place; `strides` say how the elements of a part lie in the result.
Result<bool> join(const Node& node, Lowering& l, const std::vector<Dims>& shapes, const Dims& strides,
                  std::span<const std::int64_t> offsets) {
  const std::vector<Value*>& values = node.operand("values")->values;
  struct Part {
    Ref from;
    Dims shape, strides;
    std::int64_t offset;
  };
  std::vector<Part> parts;
  std::vector<Ref> reads;
  for (std::size_t i = 0; i < values.size(); ++i) {
    TRY(const Ref from, l.read(*values[i]));
    parts.push_back({from, shapes[i], row_major_strides(shapes[i]), offsets[i]});
    reads.push_back(from);
  }
  const Ref to = l.define(*node.output());
  l.add(node.type, *node.output(), to, std::move(reads), Rounding::exact, [parts, strides, to](Frame& f) {
    for (const Part& p : parts) {
      strided_copy(f.read(p.from), p.strides, f.write(to) + p.offset, strides, p.shape, *f.pool);
    }
  });
  return true;
}

Result<bool> lower_concat(const Node& node, Lowering& l) {
  const ConstantView v(node);
  const Dims& out = node.output()->type.dims;
  const std::size_t axis = ops::wrap_axis(v.integer("axis", 0), node.output()->type.rank());
  const bool interleave = v.flag("interleave", false);
  const std::vector<Value*>& values = node.operand("values")->values;
  std::vector<Dims> shapes;
  Dims strides = row_major_strides(out), offsets;
  std::int64_t start = 0;
  for (const Value* value : values) {
    shapes.push_back(value->type.dims.empty() ? Dims{1} : value->type.dims);  // a scalar counts as a vector
    offsets.push_back(start * strides[axis]);
    start += interleave ? 1 : shapes.back()[axis];
  }
  if (interleave) strides[axis] *= static_cast<std::int64_t>(values.size());
  return join(node, l, shapes, strides, offsets);
}

Result<bool> lower_stack(const Node& node, Lowering& l) {
  const Dims& out = node.output()->type.dims;
  const std::size_t axis = ops::wrap_axis(ConstantView(node).integer("axis", 0), node.output()->type.rank());
  const std::vector<Value*>& values = node.operand("values")->values;
  std::vector<Dims> shapes;
  Dims strides = row_major_strides(out), offsets;
  for (std::size_t i = 0; i < values.size(); ++i) {
    shapes.push_back(values[i]->type.dims);
    offsets.push_back(static_cast<std::int64_t>(i) * strides[axis]);
  }
  strides.erase(strides.begin() + static_cast<std::ptrdiff_t>(axis));
  return join(node, l, shapes, strides, offsets);
}

Result<bool> lower_transpose(const Node& node, Lowering& l) {
  const Value* x = node.input("x");
  const Dims& dims = x->type.dims;
  Dims perm = ConstantView(node).ints("perm");
  TRY(const Ref from, l.read(*x));
  std::int64_t last = -1;
  bool in_order = true;  // of the extents that are not 1
  for (std::int64_t& axis : perm) {
    axis = static_cast<std::int64_t>(ops::wrap_axis(axis, x->type.rank()));
    if (dims[static_cast<std::size_t>(axis)] == 1) continue;
    in_order = in_order && axis > last;
    last = axis;
  }
  if (in_order) {
    l.alias(*node.output(), from);
    return true;
  }
  const Ref to = l.define(*node.output());
  l.add(node.type, *node.output(), to, {from}, Rounding::exact,
        [=](Frame& f) { transpose(f.read(from), dims, perm, f.write(to), *f.pool); });
  return true;
}

Result<bool> lower_tile(const Node& node, Lowering& l) {
  const Value* x = node.input("x");
  TRY(const Ref from, l.read(*x));
  const Ref to = l.define(*node.output());
  l.add(node.type, *node.output(), to, {from}, Rounding::exact,
        [=, in = x->type.dims, out = node.output()->type.dims](Frame& f) {
          tile(f.read(from), in, f.write(to), out, *f.pool);
        });
  return true;
}

Result<bool> lower_pad(const Node& node, Lowering& l) {
  const ConstantView v(node);
  const Value* x = node.input("x");
  const std::string word = v.text("mode", "constant");
  const PadMode mode = word == "reflect"     ? PadMode::reflect
                       : word == "replicate" ? PadMode::replicate
                                             : PadMode::constant;
  const Dims pads = v.ints("pad");
  Dims before(x->type.dims.size(), 0);
  const std::size_t first = before.size() - pads.size() / 2;
  for (std::size_t i = 0; 2 * i < pads.size(); ++i) before[first + i] = pads[2 * i];
  const float given = number(node, "constant_val", 0);
  const float value = l.rounds(*node.output()) ? round_to_half(given) : given;
  TRY(const Ref from, l.read(*x));
  const Ref to = l.define(*node.output());
  l.add(node.type, *node.output(), to, {from}, Rounding::exact,
        [=, in = x->type.dims, out = node.output()->type.dims](Frame& f) {
          pad(f.read(from), in, before, mode, value, f.write(to), out, *f.pool);
        });
  return true;
}

/// With indices known at compile time.
Result<bool> lower_gather(const Node& node, Lowering& l) {
  const ConstantView v(node);
  const Value* x = node.input("x");
  if (v.integer("batch_dims", 0) != 0) return false;
  const ops::AxisView view(x->type.dims, ops::wrap_axis(v.integer("axis", 0), x->type.rank()));
  Dims picks = v.ints("indices");
  for (std::int64_t& i : picks) {
    if (i < -view.extent || i >= view.extent) return false;  // reference execution says what is wrong
    if (i < 0) i += view.extent;
  }
  TRY(const Ref from, l.read(*x));
  const Ref to = l.define(*node.output());
  l.add(node.type, *node.output(), to, {from}, Rounding::exact, [=](Frame& f) {
    const float* in = f.read(from);
    float* out = f.write(to);
    const auto count = static_cast<std::int64_t>(picks.size());
    const std::int64_t grain = std::max<std::int64_t>(1, 16384 / view.inner);
    f.pool->parallel_ranges(view.outer * count, grain, [&](std::int64_t begin, std::int64_t end, int) {
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t pick = picks[static_cast<std::size_t>(i % count)];
        std::copy_n(in + (i / count * view.extent + pick) * view.inner, view.inner, out + i * view.inner);
      }
    });
  });
  return true;
}

constexpr KernelRow kRows[] = {
    {"slice_by_index", lower_slice_by_index},
    {"slice_by_size", lower_slice_by_size},
    {"crop", lower_crop},
    {"split", lower_split},
    {"reverse", lower_reverse},
    {"concat", lower_concat},
    {"stack", lower_stack},
    {"transpose", lower_transpose},
    {"tile", lower_tile},
    {"pad", lower_pad},
    {"gather", lower_gather},
};

}  // namespace

std::span<const KernelRow> move_kernels() { return kRows; }

}  // namespace anemone::runtime
