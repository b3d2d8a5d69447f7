// max_pool and avg_pool over one or two spatial dimensions.
#include "anemone/runtime/cpu/pool.h"

#include "anemone/ops/window.h"
#include "anemone/runtime/kernel_table.h"

namespace anemone::runtime {

using namespace cpu;
namespace {

struct Pooling {
  PoolParams params;
  PoolShape shape;
};

std::optional<Pooling> pooling_of(const Node& node) {
  const Dims &in = node.input("x")->type.dims, &out = node.output()->type.dims;
  if (in.size() != 3 && in.size() != 4) return std::nullopt;
  const ops::Window w = ops::pool_window(ConstantView(node), Dims(in.begin() + 2, in.end()));
  Pooling p;
  const std::size_t i = w.in.size() - 1;
  p.shape.planes = in[0] * in[1];
  p.shape.in_width = in.back();
  p.shape.out_width = out.back();
  p.params.kernel_width = w.kernel[i];
  p.params.stride_width = w.strides[i];
  p.params.pad_left = w.before[i];
  p.params.pad_right = w.after[i];
  if (i == 0) return p;
  p.shape.in_height = in[2];
  p.shape.out_height = out[2];
  p.params.kernel_height = w.kernel[0];
  p.params.stride_height = w.strides[0];
  p.params.pad_top = w.before[0];
  p.params.pad_bottom = w.after[0];
  return p;
}

Result<bool> lower_max_pool(const Node& node, Lowering& l) {
  const auto p = pooling_of(node);
  if (!p) return false;
  TRY(const Ref from, l.read(*node.input("x")));
  const Ref to = l.define(*node.output());
  l.add(node.type, *node.output(), to, {from}, Rounding::exact,
        [=, p = *p](Frame& f) { max_pool(p.params, p.shape, f.read(from), f.write(to), *f.pool); });
  return true;
}

Result<bool> lower_avg_pool(const Node& node, Lowering& l) {
  const auto p = pooling_of(node);
  const bool exclude = ConstantView(node).flag("exclude_padding_from_average", false);
  if (!p) return false;
  TRY(const Ref from, l.read(*node.input("x")));
  const Ref to = l.define(*node.output());
  l.add(node.type, *node.output(), to, {from}, Rounding::needed,
        [=, p = *p](Frame& f) { avg_pool(p.params, p.shape, exclude, f.read(from), f.write(to), *f.pool); });
  return true;
}

constexpr KernelRow kRows[] = {{"max_pool", lower_max_pool}, {"avg_pool", lower_avg_pool}};

}  // namespace

std::span<const KernelRow> pool_kernels() { return kRows; }

}  // namespace anemone::runtime
