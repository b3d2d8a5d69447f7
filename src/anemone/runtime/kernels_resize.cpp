// Resampling of the last two dimensions.
#include "anemone/ops/sampling.h"
#include "anemone/runtime/kernel_util.h"

namespace anemone::runtime {
namespace {

using cpu::ResizeShape;
using cpu::Sampling;

const Kernel kBilinear{"resize_bilinear", [](const Bound& b) {
                         const auto& p = get<BilinearParameters>(b);
                         cpu::resize_bilinear(p.shape, p.sampling, b.in(0), b.out(1), b.pool);
                       }};

const Kernel kNearest{"resize_nearest", [](const Bound& b) {
                        cpu::resize_nearest(get<NearestParameters>(b).shape, b.in(0), b.out(1), b.pool);
                      }};

/// Rows and columns come from a list.
const Kernel kPick{"resize_pick", [](const Bound& b) {
                     const auto& p = get<NearestParameters>(b);
                     const ResizeShape& s = p.shape;
                     b.pool.parallel_ranges(
                         s.planes * s.out_height, 16, [&](std::int64_t begin, std::int64_t end, int) {
                           for (std::int64_t i = begin; i < end; ++i) {
                             const std::int64_t row = p.rows[static_cast<std::size_t>(i % s.out_height)];
                             const float* line = b.in(0) + (i / s.out_height * s.in_height + row) * s.in_width;
                             for (std::int64_t x = 0; x < s.out_width; ++x) {
                               b.out(1)[i * s.out_width + x] = line[p.columns[static_cast<std::size_t>(x)]];
                             }
                           }
                         });
                   }};

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

/// What an operation says about its sampling.
struct Form {
  bool linear = true;
  std::string mode;
};
Form form_of(const Node& node) {
  const ConstantView v(node);
  if (node.type == "upsample_bilinear") return {true, std::string(ops::upsample_mode(v))};
  const bool linear = node.type == "resize_bilinear" || v.text("interpolation_mode") == "LINEAR";
  return {linear, v.text("sampling_mode")};
}

bool covers_nearest(const Node& node, const GraphView&) { return shape_of(node).has_value(); }
bool covers(const Node& node, const GraphView&) {
  const Form form = form_of(node);
  return shape_of(node) && (!form.linear || sampling_of(form.mode));
}

Result<void> add(const Group& g, Planner& p, const Kernel& kernel, Rounding rounding, Parameters parameters) {
  TRY(const Ref from, p.read(g.in()));
  p.add(g.out(), rounding,
        {.kernel = &kernel,
         .parameters = std::move(parameters),
         .operands = {read("x", from), write("out", p.define(g.out()))}});
  return {};
}

Result<void> plan_nearest(const Group& g, Planner& p) {
  return add(g, p, kNearest, Rounding::exact, NearestParameters{*shape_of(*g.node), {}, {}});
}

/// The neighbour of each sample's position; of two equally near ones the first, as in reference execution. An extent
/// that stays is not resampled.
Dims nearest_of(std::string_view mode, std::int64_t in, std::int64_t out) {
  Dims picks;
  for (std::int64_t i = 0; i < out; ++i) {
    const ops::LinearTap tap = ops::linear_tap(ops::sample_position(in == out ? "DEFAULT" : mode, i, in, out), in);
    picks.push_back(tap.weight <= 0.5 ? tap.low : tap.high);
  }
  return picks;
}

Result<void> plan_resize(const Group& g, Planner& p) {
  const Form form = form_of(*g.node);
  const ResizeShape s = *shape_of(*g.node);
  if (form.linear) return add(g, p, kBilinear, Rounding::needed, BilinearParameters{s, *sampling_of(form.mode)});
  return add(g, p, kPick, Rounding::exact,
             NearestParameters{s, nearest_of(form.mode, s.in_height, s.out_height),
                               nearest_of(form.mode, s.in_width, s.out_width)});
}

constexpr KernelRow kRows[] = {
    {.type = "upsample_nearest_neighbor", .plan = plan_nearest, .covers = covers_nearest},
    {.type = "resize_nearest_neighbor", .plan = plan_nearest, .covers = covers_nearest},
    {.type = "upsample_bilinear", .plan = plan_resize, .covers = covers},
    {.type = "resize_bilinear", .plan = plan_resize, .covers = covers},
    {.type = "resize", .plan = plan_resize, .covers = covers},
};

}  // namespace

std::span<const KernelRow> resize_kernels() { return kRows; }

}  // namespace anemone::runtime
