// Shuffles between space and depth: one copy with the block taken apart into dimensions of its own.
#include "anemone/runtime/cpu/move.h"
#include "anemone/runtime/kernel_table.h"

namespace anemone::runtime {

using namespace cpu;
namespace {

/// The wide tensor [N, C, H·b, W·b] and the deep one [N, C·b², H, W], both walked as [N, C, H, b, W, b]. The deep one's
/// channel is (i·b + j)·C + c when the block comes first, else c·b² + i·b + j.
Result<bool> move_blocks(const Node& node, Lowering& l, std::string_view param, bool to_space, bool block_first) {
  const Value &x = *node.input("x"), &out = *node.output();
  const Dims &wide = (to_space ? out : x).type.dims, &deep = (to_space ? x : out).type.dims;
  const std::int64_t b = ConstantView(node).integer(param, 1), channels = wide[1];
  const std::int64_t plane = deep[2] * deep[3];
  const Dims shape{wide[0], channels, deep[2], b, deep[3], b};
  const Dims wide_strides{channels * wide[2] * wide[3], wide[2] * wide[3], b * wide[3], wide[3], b, 1};
  const Dims deep_strides = block_first
                                ? Dims{deep[1] * plane, plane, deep[3], b * channels * plane, 1, channels * plane}
                                : Dims{deep[1] * plane, b * b * plane, deep[3], b * plane, 1, plane};
  TRY(const Ref from, l.read(x));
  const Ref to = l.define(out);
  l.add(node.type, out, to, {from}, Rounding::exact,
        [=, in_strides = to_space ? deep_strides : wide_strides, out_strides = to_space ? wide_strides : deep_strides](
            Frame& f) { strided_copy(f.read(from), in_strides, f.write(to), out_strides, shape, *f.pool); });
  return true;
}

Result<bool> lower_depth_to_space(const Node& node, Lowering& l) {
  return move_blocks(node, l, "block_size", true, true);
}
Result<bool> lower_space_to_depth(const Node& node, Lowering& l) {
  return move_blocks(node, l, "block_size", false, true);
}
Result<bool> lower_shuffle(const Node& node, Lowering& l) {
  return move_blocks(node, l, "upscale_factor", true, false);
}
Result<bool> lower_unshuffle(const Node& node, Lowering& l) {
  return move_blocks(node, l, "downscale_factor", false, false);
}

constexpr KernelRow kRows[] = {{"depth_to_space", lower_depth_to_space},
                               {"space_to_depth", lower_space_to_depth},
                               {"pixel_shuffle", lower_shuffle},
                               {"pixel_unshuffle", lower_unshuffle}};

}  // namespace

std::span<const KernelRow> space_kernels() { return kRows; }

}  // namespace anemone::runtime
