// Operations that bring elements to other places: joins, transpositions, repetitions, picks.
#include <algorithm>
#include <numeric>

#include "anemone/ops/infer_util.h"
#include "anemone/runtime/cpu/half_round.h"
#include "anemone/runtime/kernel_util.h"
#include "anemone/support/half.h"

namespace anemone::runtime {
namespace {

const Kernel kTile{"tile", [](const Bound& b) {
                     const auto& p = get<TileParameters>(b);
                     cpu::tile(b.in(0), p.in, b.out(1), p.out, b.pool);
                   }};

const Kernel kPad{"pad", [](const Bound& b) {
                    const auto& p = get<PadParameters>(b);
                    cpu::pad(b.in(0), p.in, p.before, p.mode, p.value, b.out(1), p.out, b.pool);
                  }};

const Kernel kGather{"gather", [](const Bound& b) {
                       const auto& p = get<GatherParameters>(b);
                       const auto count = static_cast<std::int64_t>(p.picks.size());
                       const std::int64_t grain = std::max<std::int64_t>(1, 16384 / p.inner);
                       b.pool.parallel_ranges(p.outer * count, grain, [&](std::int64_t begin, std::int64_t end, int) {
                         for (std::int64_t i = begin; i < end; ++i) {
                           const std::int64_t pick = p.picks[static_cast<std::size_t>(i % count)];
                           std::copy_n(b.in(0) + (i / count * p.extent + pick) * p.inner, p.inner,
                                       b.out(1) + i * p.inner);
                         }
                       });
                     }};

/// One call that writes every part to its place; `strides` say how the elements of a part lie in the result.
Result<void> join(const Group& g, Planner& p, const std::vector<Dims>& shapes, const Dims& strides,
                  std::span<const std::int64_t> offsets) {
  const std::vector<Value*>& values = g.node->operand("values")->values;
  CopyParameters parameters;
  Call call{.kernel = &kCopyKernel};
  for (std::size_t i = 0; i < values.size(); ++i) {
    TRY(const Ref from, p.read(*values[i]));
    parameters.parts.push_back({.shape = shapes[i],
                                .from = row_major_strides(shapes[i]),
                                .to = strides,
                                .from_offset = 0,
                                .to_offset = offsets[i]});
    call.operands.push_back(read("values", from));
  }
  call.operands.push_back(write("out", p.define(g.out())));
  call.parameters = std::move(parameters);
  p.add(g.out(), Rounding::exact, std::move(call));
  return {};
}

Result<void> plan_concat(const Group& g, Planner& p) {
  const ConstantView v(*g.node);
  const Type& out = g.node->output()->type;
  const std::size_t axis = ops::wrap_axis(v.integer("axis"), out.rank());
  const bool interleave = v.flag("interleave");
  const std::vector<Value*>& values = g.node->operand("values")->values;
  std::vector<Dims> shapes;
  Dims strides = row_major_strides(out.dims), offsets;
  std::int64_t start = 0;
  for (const Value* value : values) {
    shapes.push_back(value->type.dims.empty() ? Dims{1} : value->type.dims);  // a scalar counts as a vector
    offsets.push_back(start * strides[axis]);
    start += interleave ? 1 : shapes.back()[axis];
  }
  if (interleave) strides[axis] *= static_cast<std::int64_t>(values.size());
  return join(g, p, shapes, strides, offsets);
}

Result<void> plan_stack(const Group& g, Planner& p) {
  const Type& out = g.node->output()->type;
  const std::size_t axis = ops::wrap_axis(ConstantView(*g.node).integer("axis"), out.rank());
  const std::vector<Value*>& values = g.node->operand("values")->values;
  std::vector<Dims> shapes;
  Dims strides = row_major_strides(out.dims), offsets;
  for (std::size_t i = 0; i < values.size(); ++i) {
    shapes.push_back(values[i]->type.dims);
    offsets.push_back(static_cast<std::int64_t>(i) * strides[axis]);
  }
  strides.erase(strides.begin() + static_cast<std::ptrdiff_t>(axis));
  return join(g, p, shapes, strides, offsets);
}

Result<void> plan_transpose(const Group& g, Planner& p) {
  const Type& type = g.in().type;
  const Dims strides = row_major_strides(type.dims);
  CopyParameters::Part part;
  TRY(const Ref from, p.read(g.in()));
  std::int64_t last = -1;
  bool in_order = true;  // of the extents that are not 1
  for (const std::int64_t wish : ConstantView(*g.node).ints("perm")) {
    const std::size_t axis = ops::wrap_axis(wish, type.rank());
    part.shape.push_back(type.dims[axis]);
    part.from.push_back(strides[axis]);
    if (type.dims[axis] == 1) continue;
    in_order = in_order && static_cast<std::int64_t>(axis) > last;
    last = static_cast<std::int64_t>(axis);
  }
  if (in_order) {
    p.alias(g.out(), from);
    return {};
  }
  part.to = row_major_strides(part.shape);
  p.add(g.out(), Rounding::exact,
        {.kernel = &kCopyKernel,
         .parameters = CopyParameters{{part}},
         .operands = {read("x", from), write("out", p.define(g.out()))}});
  return {};
}

Result<void> plan_tile(const Group& g, Planner& p) {
  TRY(const Ref from, p.read(g.in()));
  p.add(g.out(), Rounding::exact,
        {.kernel = &kTile,
         .parameters = TileParameters{g.in().type.dims, g.out().type.dims},
         .operands = {read("x", from), write("out", p.define(g.out()))}});
  return {};
}

Result<void> plan_pad(const Group& g, Planner& p) {
  const ConstantView v(*g.node);
  PadParameters parameters{
      .in = g.in().type.dims, .before = Dims(g.in().type.dims.size(), 0), .out = g.out().type.dims};
  const std::string word = v.text("mode");
  if (word == "reflect") parameters.mode = cpu::PadMode::reflect;
  if (word == "replicate") parameters.mode = cpu::PadMode::replicate;
  const Dims pads = v.ints("pad");
  const std::size_t first = parameters.before.size() - pads.size() / 2;
  for (std::size_t i = 0; 2 * i < pads.size(); ++i) parameters.before[first + i] = pads[2 * i];
  parameters.value = number(*g.node, "constant_val");
  if (p.graph().rounds(g.out())) parameters.value = round_to_half(parameters.value);
  TRY(const Ref from, p.read(g.in()));
  p.add(g.out(), Rounding::exact,
        {.kernel = &kPad, .parameters = parameters, .operands = {read("x", from), write("out", p.define(g.out()))}});
  return {};
}

/// With indices known at compile time; nothing when the kernel does not do it.
std::optional<GatherParameters> gather_of(const Node& node) {
  const ConstantView v(node);
  const Type& type = node.input("x")->type;
  if (v.integer("batch_dims") != 0) return {};
  const ops::AxisView view(type.dims, ops::wrap_axis(v.integer("axis"), type.rank()));
  GatherParameters parameters{view.outer, view.extent, view.inner, v.ints("indices")};
  for (std::int64_t& i : parameters.picks) {
    if (i < -view.extent || i >= view.extent) return {};  // reference execution says what is wrong
    if (i < 0) i += view.extent;
  }
  return parameters;
}
bool covers_gather(const Node& node, const GraphView&) { return gather_of(node).has_value(); }

Result<void> plan_gather(const Group& g, Planner& p) {
  TRY(const Ref from, p.read(g.in()));
  p.add(g.out(), Rounding::exact,
        {.kernel = &kGather,
         .parameters = *gather_of(*g.node),
         .operands = {read("x", from), write("out", p.define(g.out()))}});
  return {};
}

constexpr KernelRow kRows[] = {
    {"concat", plan_concat},
    {"stack", plan_stack},
    {"transpose", plan_transpose},
    {"tile", plan_tile},
    {.type = "pad", .plan = plan_pad, .constants = "pad"},
    {.type = "gather", .plan = plan_gather, .covers = covers_gather, .constants = "indices"},
};

}  // namespace

const Kernel kCopyKernel{"copy", [](const Bound& b) {
                           const auto& p = get<CopyParameters>(b);
                           const Access& out = b.call.operands.back();
                           float* to = b.out(p.parts.size());
                           if (p.clear) std::fill_n(to, out.ref.count, 0.0f);
                           for (std::size_t i = 0; i < p.parts.size(); ++i) {
                             const CopyParameters::Part& part = p.parts[i];
                             cpu::strided_copy(b.in(i) + part.from_offset, part.from, to + part.to_offset, part.to,
                                               part.shape, b.pool);
                           }
                         }};

std::span<const KernelRow> move_kernels() { return kRows; }

}  // namespace anemone::runtime
