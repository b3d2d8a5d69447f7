// max_pool and avg_pool over one or two spatial dimensions.
#include "anemone/ops/window.h"
#include "anemone/runtime/kernel_util.h"

namespace anemone::runtime {
namespace {

const Kernel kMaxPool{"max_pool", [](const Bound& b) {
                        const auto& p = get<PoolParameters>(b);
                        cpu::max_pool(p.window, p.shape, b.in(0), b.out(1), b.pool);
                      }};

bool is_flat(const Node& node, const GraphView&) {
  const std::int64_t rank = node.input("x")->type.rank();
  return rank == 3 || rank == 4;
}

PoolParameters pooling_of(const Node& node) {
  const Dims &in = node.input("x")->type.dims, &out = node.output()->type.dims;
  const ops::Window w = ops::pool_window(ConstantView(node), Dims(in.begin() + 2, in.end()));
  PoolParameters p;
  const std::size_t i = w.in.size() - 1;
  p.shape.planes = in[0] * in[1];
  p.shape.in_width = in.back();
  p.shape.out_width = out.back();
  p.window.kernel_width = w.kernel[i];
  p.window.stride_width = w.strides[i];
  p.window.pad_left = w.before[i];
  if (i == 0) return p;
  p.shape.in_height = in[2];
  p.shape.out_height = out[2];
  p.window.kernel_height = w.kernel[0];
  p.window.stride_height = w.strides[0];
  p.window.pad_top = w.before[0];
  return p;
}

Result<void> plan_max_pool(const Group& g, Planner& p) {
  TRY(const Ref from, p.read(g.in()));
  p.add(g.out(), Rounding::exact,
        {.kernel = &kMaxPool,
         .parameters = pooling_of(*g.node),
         .operands = {read("x", from), write("out", p.define(g.out()))}});
  return {};
}

Result<void> plan_avg_pool(const Group& g, Planner& p) {
  PoolParameters parameters = pooling_of(*g.node);
  parameters.exclude_padding = ConstantView(*g.node).flag("exclude_padding_from_average");
  TRY(const Ref from, p.read(g.in()));
  p.add(g.out(), Rounding::needed,
        {.kernel = &kAvgPoolKernel,
         .parameters = parameters,
         .operands = {read("x", from), write("out", p.define(g.out()))}});
  return {};
}

constexpr KernelRow kRows[] = {{.type = "max_pool", .plan = plan_max_pool, .covers = is_flat},
                               {.type = "avg_pool", .plan = plan_avg_pool, .covers = is_flat}};

}  // namespace

const Kernel kAvgPoolKernel{"avg_pool", [](const Bound& b) {
                              const auto& p = get<PoolParameters>(b);
                              cpu::avg_pool(p.window, p.shape, p.exclude_padding, b.in(0), b.out(1), b.pool);
                            }};

std::span<const KernelRow> pool_kernels() { return kRows; }

}  // namespace anemone::runtime
