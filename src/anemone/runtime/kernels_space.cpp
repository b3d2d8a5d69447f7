// Shuffles between space and depth: one copy with the block taken apart into dimensions of its own.
#include "anemone/runtime/kernel_util.h"

namespace anemone::runtime {
namespace {

/// The wide tensor [N, C, H·b, W·b] and the deep one [N, C·b², H, W], both walked as [N, C, H, b, W, b]. The deep one's
/// channel is (i·b + j)·C + c when the block comes first, else c·b² + i·b + j.
Result<void> move_blocks(const Group& g, Planner& p, std::string_view param, bool to_space, bool block_first) {
  const Dims &in = g.in().type.dims, &out = g.out().type.dims;
  const Dims &wide = to_space ? out : in, &deep = to_space ? in : out;
  const std::int64_t b = ConstantView(*g.node).integer(param), channels = wide[1];
  const std::int64_t plane = deep[2] * deep[3];
  CopyParameters::Part part{.shape = {wide[0], channels, deep[2], b, deep[3], b}, .from = {}, .to = {}};
  const Dims wide_strides{channels * wide[2] * wide[3], wide[2] * wide[3], b * wide[3], wide[3], b, 1};
  const Dims deep_strides = block_first
                                ? Dims{deep[1] * plane, plane, deep[3], b * channels * plane, 1, channels * plane}
                                : Dims{deep[1] * plane, b * b * plane, deep[3], b * plane, 1, plane};
  part.from = to_space ? deep_strides : wide_strides;
  part.to = to_space ? wide_strides : deep_strides;
  TRY(const Ref from, p.read(g.in()));
  p.add(g.out(), Rounding::exact,
        {.kernel = &kCopyKernel,
         .parameters = CopyParameters{{part}},
         .operands = {read("x", from), write("out", p.define(g.out()))}});
  return {};
}

Result<void> plan_depth_to_space(const Group& g, Planner& p) { return move_blocks(g, p, "block_size", true, true); }
Result<void> plan_space_to_depth(const Group& g, Planner& p) { return move_blocks(g, p, "block_size", false, true); }
Result<void> plan_shuffle(const Group& g, Planner& p) { return move_blocks(g, p, "upscale_factor", true, false); }
Result<void> plan_unshuffle(const Group& g, Planner& p) { return move_blocks(g, p, "downscale_factor", false, false); }

constexpr KernelRow kRows[] = {{"depth_to_space", plan_depth_to_space},
                               {"space_to_depth", plan_space_to_depth},
                               {"pixel_shuffle", plan_shuffle},
                               {"pixel_unshuffle", plan_unshuffle}};

}  // namespace

std::span<const KernelRow> space_kernels() { return kRows; }

}  // namespace anemone::runtime
