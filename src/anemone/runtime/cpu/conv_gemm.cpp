// Convolution as a matrix product: a task fills a tile of the (never complete) im2col matrix in its scratch, small
// enough to stay in the second-level cache, and multiplies all panels of weights with it.
#include <algorithm>

#include "anemone/runtime/cpu/conv_kernels.h"
#include "anemone/runtime/cpu/gemm_tile.h"
#include "anemone/runtime/cpu/highway_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "anemone/runtime/cpu/conv_gemm.cpp"
#include <hwy/foreach_target.h>  // must come before highway.h
//
#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include "anemone/runtime/cpu/copy_row-inl.h"

HWY_BEFORE_NAMESPACE();
namespace anemone::cpu {
namespace HWY_NAMESPACE {
namespace {

// How one convolution is cut into tasks.
struct ConvPlan {
  std::int64_t channels, rows, depth;  // of one group: inputs, outputs, terms of a sum
  std::int64_t pixels;                 // of one output plane
  std::int64_t width;                  // columns of a panel of the tile
  std::int64_t tile, tiles;            // pixels of a tile (whole panels), tiles of a plane
  std::int64_t splits;                 // tasks that share a tile, each for some of the rows
  bool flat;                           // 1x1 without padding or stride: planes are rows of one long line
};

// `count` pixels of one output row, at [column, column + count) of the tile and within one panel of it.
struct ConvSegment {
  std::int64_t out_y, out_x, column, count;
};

// One tap seen from one segment: which input row, and which part of the segment lies inside it.
struct ConvTap {
  std::int64_t offset;      // of the first pixel inside, from the start of the channel's plane
  std::int64_t begin, end;  // pixels of the segment that are inside; the others are padding
};

// The tile of a 1x1 convolution: `count` pixels from `first` of every channel's plane.
void FillFlat(const ConvCall& call, const ConvPlan& plan, const float* in, std::int64_t first_channel,
              std::int64_t first, std::int64_t count, float* tile) {
  const std::int64_t plane = call.in_height * call.in_width;
  for (std::int64_t c = 0; c < plan.channels; ++c) {
    const float* from = in + c * plane + first;
    // Planes are far apart, which no hardware prefetcher follows.
    if (c + 2 < plan.channels) {
      for (std::int64_t i = 0; i < count; i += 16) hwy::Prefetch(from + 2 * plane + i);
    }
    const Affine affine = AffineOf(*call.prologue, first_channel + c);
    float* to = tile + c * plan.width;
    for (std::int64_t column = 0; column < count; column += plan.width, to += plan.depth * plan.width) {
      const std::int64_t part = std::min<std::int64_t>(plan.width, count - column);
      CopyRow(from + column, 1, to, part, affine);
      for (std::int64_t i = part; i < plan.width; ++i) to[i] = 0.0f;
    }
  }
}

HWY_INLINE ConvTap TapOf(const ConvCall& call, const ConvSegment& s, std::int64_t ky, std::int64_t kx) {
  const ConvParams& p = call.form->params;
  const std::int64_t y = s.out_y * p.stride_height - p.pad_top + ky * p.dilation_height;
  const std::int64_t x = s.out_x * p.stride_width - p.pad_left + kx * p.dilation_width;
  if (y < 0 || y >= call.in_height) return {0, s.count, s.count};
  const std::int64_t begin = x >= 0 ? 0 : std::min(s.count, (-x + p.stride_width - 1) / p.stride_width);
  const std::int64_t room = call.in_width - x;  // pixel i is inside when i * stride < room
  const std::int64_t end = room <= 0 ? 0 : std::min(s.count, (room + p.stride_width - 1) / p.stride_width);
  if (end <= begin) return {0, s.count, s.count};
  return {y * call.in_width + x + begin * p.stride_width, begin, end};
}

// The general tile. Clipping is worked out once per segment and tap, then all channels are copied.
void FillGeneral(const ConvCall& call, const ConvPlan& plan, const float* in, std::int64_t first_channel,
                 std::int64_t first, std::int64_t count, float* tile) {
  const ConvParams& p = call.form->params;
  const std::int64_t plane = call.in_height * call.in_width;
  for (std::int64_t column = 0; column < count;) {
    const std::int64_t pixel = first + column;
    ConvSegment s{pixel / call.out_width, pixel % call.out_width, column, 0};
    s.count = std::min({count - column, call.out_width - s.out_x, plan.width - column % plan.width});
    column += s.count;
    float* panel = tile + s.column / plan.width * plan.depth * plan.width + s.column % plan.width;
    // The last segment also clears what remains of its panel.
    const std::int64_t clear = column == count ? (plan.width - count % plan.width) % plan.width : 0;
    for (std::int64_t ky = 0; ky < p.kernel_height; ++ky) {
      for (std::int64_t kx = 0; kx < p.kernel_width; ++kx) {
        const ConvTap tap = TapOf(call, s, ky, kx);
        float* to = panel + (ky * p.kernel_width + kx) * plan.channels * plan.width;
        const float* from = in + tap.offset;
        for (std::int64_t c = 0; c < plan.channels; ++c, from += plane, to += plan.width) {
          if (kx == 0 && c + 4 < plan.channels) hwy::Prefetch(from + 4 * plane);
          for (std::int64_t i = 0; i < tap.begin; ++i) to[i] = 0.0f;
          CopyRow(from, p.stride_width, to + tap.begin, tap.end - tap.begin,
                  AffineOf(*call.prologue, first_channel + c));
          for (std::int64_t i = tap.end; i < s.count + clear; ++i) to[i] = 0.0f;
        }
      }
    }
  }
}

void RunTask(const ConvCall& call, const ConvPlan& plan, std::int64_t task, float* tile) {
  const ConvForm& conv = *call.form;
  const GemmKernels& kernels = gemm_kernels();
  // Neighbouring tasks take neighbouring tiles: they share rows of the input.
  const std::int64_t tile_index = task % plan.tiles;
  const std::int64_t split = task / plan.tiles % plan.splits;
  const std::int64_t group = task / (plan.tiles * plan.splits) % conv.params.groups;
  const std::int64_t image = task / (plan.tiles * plan.splits * conv.params.groups);
  const std::int64_t first = tile_index * plan.tile, count = std::min(plan.tile, plan.pixels - first);
  const std::int64_t first_channel = group * plan.channels;
  const float* in = call.in + (image * conv.params.in_channels + first_channel) * call.in_height * call.in_width;
  (plan.flat ? FillFlat : FillGeneral)(call, plan, in, first_channel, first, count, tile);

  const RowPanels panels(plan.rows, conv.panel_rows);
  const std::int64_t first_row = group * plan.rows;
  const std::int64_t origin = (image * conv.params.out_channels + first_row) * plan.pixels + first;
  GemmTile t;
  t.depth = plan.depth;
  t.b_stride = plan.width;
  t.out_stride = plan.pixels;
  t.epilogue = call.epilogue;
  for (std::int64_t panel = split * panels.count / plan.splits; panel < (split + 1) * panels.count / plan.splits;
       ++panel) {
    const std::int64_t row = panels.begin(panel);
    t.a = call.weights + (first_row + row) * plan.depth;
    t.row_bias = call.bias + first_row + row;
    const auto run = kernels.run[panels.size(panel)];
    for (std::int64_t column = 0; column < count; column += plan.width) {
      t.b = tile + column * plan.depth;
      t.columns = std::min(plan.width, count - column);
      t.out = call.out + origin + row * plan.pixels + column;
      if (call.epilogue->add) t.add = call.epilogue->add + origin + row * plan.pixels + column;
      run(t);
    }
  }
}

ConvPlan PlanOf(const ConvCall& call, int threads) {
  const ConvParams& p = call.form->params;
  ConvPlan plan{};
  plan.channels = p.in_channels / p.groups;
  plan.rows = p.out_channels / p.groups;
  plan.depth = plan.channels * p.kernel_height * p.kernel_width;
  plan.pixels = call.out_height * call.out_width;
  plan.width = gemm_kernels().width();
  plan.flat = p.kernel_height == 1 && p.kernel_width == 1 && p.stride_height == 1 && p.stride_width == 1 &&
              p.pad_top == 0 && p.pad_bottom == 0 && p.pad_left == 0 && p.pad_right == 0;
  // Half of a usual second-level cache for the tile; the rest is for weights and outputs. Then tiles enough that a
  // thread which is late does not keep the others waiting long.
  constexpr std::int64_t kTileFloats = 64 * 1024;
  const std::int64_t panels = (plan.pixels + plan.width - 1) / plan.width;
  const std::int64_t largest = std::max<std::int64_t>(1, kTileFloats / (plan.depth * plan.width));
  const std::int64_t planes = call.batch * p.groups;
  const std::int64_t wanted = (4 * threads + planes - 1) / planes;
  std::int64_t tiles = std::max((panels + largest - 1) / largest, threads > 1 ? std::min(panels, wanted) : 1);
  plan.tile = (panels + tiles - 1) / tiles * plan.width;
  plan.tiles = (plan.pixels + plan.tile - 1) / plan.tile;
  const RowPanels rows(plan.rows, call.form->panel_rows);
  plan.splits = std::clamp<std::int64_t>((threads + planes * plan.tiles - 1) / (planes * plan.tiles), 1, rows.count);
  return plan;
}

}  // namespace

void ConvGemm(const ConvCall& call, runtime::ThreadPool& pool) {
  const ConvPlan plan = PlanOf(call, pool.threads());
  const std::int64_t tasks = call.batch * call.form->params.groups * plan.splits * plan.tiles;
  run_tasks(tasks, plan.depth * plan.tile, pool,
            [&](std::int64_t task, float* scratch) { RunTask(call, plan, task, scratch); });
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace anemone::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace anemone::cpu {

HWY_EXPORT(ConvGemm);
void conv2d_gemm(const ConvCall& call, runtime::ThreadPool& pool) { HWY_DYNAMIC_DISPATCH(ConvGemm)(call, pool); }

}  // namespace anemone::cpu
#endif
