// Reductions over any axes.
#include "anemone/ops/infer_util.h"
#include "anemone/runtime/kernel_util.h"

namespace anemone::runtime {
namespace {

using cpu::Reduction;

const Kernel kReduce{"reduce", [](const Bound& b) {
                       const auto& p = get<ReduceParameters>(b);
                       cpu::reduce(p.function, b.in(0), p.dims, p.axes, b.out(1), b.pool, p.half_sums);
                     }};

template <Reduction Function>
Result<void> plan_reduce(const Group& g, Planner& p) {
  const Dims& dims = g.in().type.dims;
  Dims axes = ConstantView(*g.node).ints("axes");
  for (std::int64_t& axis : axes) axis = static_cast<std::int64_t>(ops::wrap_axis(axis, g.in().type.rank()));
  const bool half_sums = p.graph().half_reductions(g.out());
  TRY(const Ref from, p.read(g.in()));
  p.add(g.out(), Rounding::needed,
        {.kernel = &kReduce,
         .algorithm = half_sums ? "half sums" : "",
         .parameters = ReduceParameters{Function, dims, axes, half_sums},
         .operands = {read("x", from), write("out", p.define(g.out()))}});
  return {};
}

/// Of no axes is another thing: the kernel would take all.
bool has_axes(const Node& node, const GraphView&) {
  const ConstantView v(node);
  return !v.has("axes") || !v.ints("axes").empty();
}

template <Reduction Function>
constexpr KernelRow row(std::string_view type) {
  return {.type = type, .plan = plan_reduce<Function>, .covers = has_axes};
}

constexpr KernelRow kRows[] = {
    row<Reduction::sum>("reduce_sum"),         row<Reduction::mean>("reduce_mean"),
    row<Reduction::max>("reduce_max"),         row<Reduction::min>("reduce_min"),
    row<Reduction::prod>("reduce_prod"),       row<Reduction::l1_norm>("reduce_l1_norm"),
    row<Reduction::l2_norm>("reduce_l2_norm"), row<Reduction::sum_square>("reduce_sum_square"),
    row<Reduction::log_sum>("reduce_log_sum"), row<Reduction::log_sum_exp>("reduce_log_sum_exp"),
};

}  // namespace

std::span<const KernelRow> reduce_kernels() { return kRows; }

}  // namespace anemone::runtime
