// Reductions over any axes.
#include "anemone/ops/infer_util.h"
#include "anemone/runtime/cpu/reduce.h"

#include "anemone/runtime/kernel_table.h"

namespace anemone::runtime {

using namespace cpu;
namespace {

template <Reduction Op>
Result<bool> lower_reduce(const Node& node, Lowering& l) {
  const ConstantView v(node);
  const Dims& dims = node.input("x")->type.dims;
  Dims axes = v.ints("axes");
  for (std::int64_t& axis : axes)
    axis = static_cast<std::int64_t>(ops::wrap_axis(axis, static_cast<std::int64_t>(dims.size())));
  if (v.has("axes") && axes.empty()) return false;  // of no axes; the kernel would take all
  TRY(const Ref from, l.read(*node.input("x")));
  const Ref to = l.define(*node.output());
  l.add(node.type, *node.output(), to, {from}, Rounding::needed,
        [=](Frame& f) { reduce(Op, f.read(from), dims, axes, f.write(to), *f.pool); });
  return true;
}

constexpr KernelRow kRows[] = {
    {"reduce_sum", lower_reduce<Reduction::sum>},         {"reduce_mean", lower_reduce<Reduction::mean>},
    {"reduce_max", lower_reduce<Reduction::max>},         {"reduce_min", lower_reduce<Reduction::min>},
    {"reduce_prod", lower_reduce<Reduction::prod>},       {"reduce_l1_norm", lower_reduce<Reduction::l1_norm>},
    {"reduce_l2_norm", lower_reduce<Reduction::l2_norm>}, {"reduce_sum_square", lower_reduce<Reduction::sum_square>},
    {"reduce_log_sum", lower_reduce<Reduction::log_sum>}, {"reduce_log_sum_exp", lower_reduce<Reduction::log_sum_exp>},
};

}  // namespace

std::span<const KernelRow> reduce_kernels() { return kRows; }

}  // namespace anemone::runtime
