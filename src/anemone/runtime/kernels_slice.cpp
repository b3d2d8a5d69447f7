// Operations that take a part of their input, and those that only give it another shape. Where the result lies in one
// piece in the input, it is a view of it.
#include <algorithm>

#include "anemone/ops/infer_util.h"
#include "anemone/runtime/kernel_util.h"

namespace anemone::runtime {
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

void take_box(const Value& out, const Ref& from, const Dims& dims, const Box& box, Planner& p) {
  const Dims strides = row_major_strides(dims);
  const auto offset = static_cast<std::int64_t>(ops::offset(box.begin, strides));
  if (in_one_piece(box, dims)) {
    Ref view = from;
    view.offset += offset;
    view.count = count_of(box.extents);
    return p.alias(out, view);
  }
  CopyParameters::Part part{.shape = box.extents, .from = strides, .to = row_major_strides(box.extents)};
  for (std::size_t d = 0; d < dims.size(); ++d) part.from[d] *= box.stride[d];
  part.from_offset = offset;
  p.add(out, Rounding::exact,
        {.kernel = &kCopyKernel,
         .parameters = CopyParameters{{part}},
         .operands = {read("x", from), write("out", p.define(out))}});
}

/// The box of a node with one output, or nothing when no kernel does it.
using BoxOf = std::optional<Box> (*)(const Node&);

template <BoxOf kBox>
Result<void> plan_box(const Group& g, Planner& p) {
  TRY(const Ref from, p.read(g.in()));
  take_box(g.out(), from, g.in().type.dims, *kBox(*g.node), p);
  return {};
}
template <BoxOf kBox>
bool has_box(const Node& node, const GraphView&) {
  return kBox(node).has_value();
}

std::optional<Box> slice_by_index(const Node& node) {
  const ConstantView v(node);
  const Dims& dims = node.input("x")->type.dims;
  const std::size_t rank = dims.size();
  const Dims begin = v.ints("begin"), end = v.ints("end"), strides = v.ints("stride", rank);
  const std::vector<bool> from_start = v.flags("begin_mask", rank), to_end = v.flags("end_mask", rank),
                          squeezed = v.flags("squeeze_mask", rank);
  if (begin.size() != rank || end.size() != rank || strides.size() != rank) return {};
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
  if (count_of(box.extents) != count_of(node.output()->type.dims)) return {};
  return box;
}

std::optional<Box> slice_by_size(const Node& node) {
  const Dims& dims = node.input("x")->type.dims;
  Dims begin = ConstantView(node).ints("begin");
  for (std::size_t d = 0; d < dims.size(); ++d) begin[d] += begin[d] < 0 ? dims[d] : 0;
  return Box{begin, Dims(dims.size(), 1), node.output()->type.dims};
}

std::optional<Box> crop(const Node& node) {
  const ConstantView v(node);
  const Dims& dims = node.input("x")->type.dims;
  Dims begin(dims.size(), 0);
  begin[dims.size() - 2] = v.ints("crop_height")[0];
  begin[dims.size() - 1] = v.ints("crop_width")[0];
  return Box{begin, Dims(dims.size(), 1), node.output()->type.dims};
}

std::optional<Box> reverse(const Node& node) {
  const ConstantView v(node);
  const Type& type = node.input("x")->type;
  const Dims &dims = type.dims, axes = v.ints("axes");
  Box box{Dims(dims.size(), 0), Dims(dims.size(), 1), dims};
  for (std::size_t d = 0; d < dims.size(); ++d) {
    const bool turned = !v.has("axes") || std::any_of(axes.begin(), axes.end(), [&](std::int64_t axis) {
      return ops::wrap_axis(axis, type.rank()) == d;
    });
    if (!turned || dims[d] == 1) continue;
    box.begin[d] = dims[d] - 1;
    box.stride[d] = -1;
  }
  return box;
}

Result<void> plan_split(const Group& g, Planner& p) {
  const Type& type = g.in().type;
  const Dims& dims = type.dims;
  const std::size_t axis = ops::wrap_axis(ConstantView(*g.node).integer("axis"), type.rank());
  TRY(const Ref from, p.read(g.in()));
  Dims begin(dims.size(), 0);
  for (const auto& out : g.node->outputs) {
    take_box(*out, from, dims, {begin, Dims(dims.size(), 1), out->type.dims}, p);
    begin[axis] += out->type.dims[axis];
  }
  return {};
}

Result<void> same_elements(const Group& g, Planner& p) {
  TRY(const Ref ref, p.read(g.in()));
  p.alias(g.out(), ref);
  return {};
}

template <BoxOf kBox>
constexpr KernelRow box_row(std::string_view type, std::string_view constants = {}) {
  return {.type = type, .plan = plan_box<kBox>, .covers = has_box<kBox>, .constants = constants};
}

constexpr KernelRow kRows[] = {
    box_row<slice_by_index>("slice_by_index", "begin end"),
    box_row<slice_by_size>("slice_by_size", "begin size"),
    box_row<crop>("crop"),
    box_row<reverse>("reverse"),
    {"split", plan_split},
    {"identity", same_elements},
    {"reshape", same_elements},
    {.type = "reshape_like", .plan = same_elements, .constants = "begins ends end_masks", .shapes = "ref_tensors"},
    {"expand_dims", same_elements},
    {"squeeze", same_elements},
    {"flatten2d", same_elements}};

}  // namespace

std::span<const KernelRow> slice_kernels() { return kRows; }

}  // namespace anemone::runtime
