// Resampling of the last two dimensions.
#include "anemone/runtime/cpu/resize.h"

#include "anemone/ops/sampling.h"
#include "anemone/runtime/kernel_table.h"

namespace anemone::runtime {

using namespace cpu;
namespace {

std::optional<Sampling> sampling_of(std::string_view mode) {
  if (mode == "STRICT_ALIGN_CORNERS") return Sampling::strict_align_corners;
  if (mode == "ALIGN_CORNERS") return Sampling::align_corners;
  if (mode == "DEFAULT") return Sampling::default_mode;
  if (mode == "UNALIGN_CORNERS") return Sampling::unalign_corners;
  if (mode == "OFFSET_CORNERS") return Sampling::offset_corners;
  return std::nullopt;
}

/// Nothing when another dimension than the last two changes.
std::optional<ResizeShape> shape_of(const Node& node) {
  const Dims &in = node.input("x")->type.dims, &out = node.output()->type.dims;
  if (in.size() < 2) return std::nullopt;
  const std::size_t n = in.size() - 2;
  if (!std::equal(in.begin(), in.end() - 2, out.begin())) return std::nullopt;
  return ResizeShape{count_of(std::span(in).first(n)), in[n], in[n + 1], out[n], out[n + 1]};
}

Result<bool> add_nearest(const Node& node, Lowering& l) {
  const auto shape = shape_of(node);
  if (!shape) return false;
  TRY(const Ref from, l.read(*node.input("x")));
  const Ref to = l.define(*node.output());
  l.add(node.type, *node.output(), to, {from}, Rounding::exact,
        [=, shape = *shape](Frame& f) { resize_nearest(shape, f.read(from), f.write(to), *f.pool); });
  return true;
}

Result<bool> add_bilinear(const Node& node, Lowering& l, std::string_view mode) {
  const auto shape = shape_of(node);
  const auto sampling = sampling_of(mode);
  if (!shape || !sampling) return false;
  TRY(const Ref from, l.read(*node.input("x")));
  const Ref to = l.define(*node.output());
  l.add(node.type, *node.output(), to, {from}, Rounding::needed, [=, shape = *shape, mode = *sampling](Frame& f) {
    resize_bilinear(shape, mode, f.read(from), f.write(to), *f.pool);
  });
  return true;
}

Result<bool> lower_upsample_bilinear(const Node& node, Lowering& l) {
  const ConstantView v(node);
  const bool align = v.flag("align_corners", true), half = v.flag("half_pixel_centers", !align);
  return add_bilinear(node, l, align ? "STRICT_ALIGN_CORNERS" : half ? "UNALIGN_CORNERS" : "DEFAULT");
}

Result<bool> lower_resize_bilinear(const Node& node, Lowering& l) {
  return add_bilinear(node, l, ConstantView(node).text("sampling_mode", "DEFAULT"));
}

/// The neighbour of each sample's position; of two equally near ones the first, as in reference execution.
std::vector<std::int64_t> nearest_of(std::string_view mode, std::int64_t in, std::int64_t out) {
  std::vector<std::int64_t> picks;
  for (std::int64_t i = 0; i < out; ++i) {
    const ops::LinearTap tap = ops::linear_tap(ops::sample_position(mode, i, in, out), in);
    picks.push_back(tap.weight <= 0.5 ? tap.low : tap.high);
  }
  return picks;
}

/// Nearest neighbour with a sampling mode.
Result<bool> add_nearest_sampled(const Node& node, Lowering& l, std::string_view mode) {
  const auto shape = shape_of(node);
  if (!shape) return false;
  TRY(const Ref from, l.read(*node.input("x")));
  const Ref to = l.define(*node.output());
  // An extent that stays is not resampled.
  const auto picks = [&](std::int64_t in, std::int64_t out) {
    return nearest_of(in == out ? "DEFAULT" : mode, in, out);
  };
  l.add(node.type, *node.output(), to, {from}, Rounding::exact,
        [=, s = *shape, rows = picks(shape->in_height, shape->out_height),
         columns = picks(shape->in_width, shape->out_width)](Frame& f) {
          const float* in = f.read(from);
          float* out = f.write(to);
          f.pool->parallel_ranges(s.planes * s.out_height, 16, [&](std::int64_t begin, std::int64_t end, int) {
            for (std::int64_t i = begin; i < end; ++i) {
              const std::int64_t row = rows[static_cast<std::size_t>(i % s.out_height)];
              const float* line = in + (i / s.out_height * s.in_height + row) * s.in_width;
              for (std::int64_t x = 0; x < s.out_width; ++x) {
                out[i * s.out_width + x] = line[columns[static_cast<std::size_t>(x)]];
              }
            }
          });
        });
  return true;
}

Result<bool> lower_resize(const Node& node, Lowering& l) {
  const ConstantView v(node);
  const std::string mode = v.text("sampling_mode", "DEFAULT");
  if (v.text("interpolation_mode", "LINEAR") == "LINEAR") return add_bilinear(node, l, mode);
  return add_nearest_sampled(node, l, mode);
}

constexpr KernelRow kRows[] = {
    {"upsample_nearest_neighbor", add_nearest},
    {"resize_nearest_neighbor", add_nearest},
    {"upsample_bilinear", lower_upsample_bilinear},
    {"resize_bilinear", lower_resize_bilinear},
    {"resize", lower_resize},
};

}  // namespace

std::span<const KernelRow> resize_kernels() { return kRows; }

}  // namespace anemone::runtime
