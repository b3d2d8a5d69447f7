// Convolution by Winograd's F(4x4, 3x3): 4x4 outputs of a channel take 36 products instead of 144. Input tiles of 6x6
// are transformed (V), multiplied for each of the 36 places with the transformed weights (M = U V), and transformed
// back. Points 0, 1, -1, 2, -2 and infinity. Lavin and Gray, "Fast algorithms for convolutional neural networks", 2016.
#include <algorithm>

#include "anemone/runtime/cpu/conv_kernels.h"
#include "anemone/runtime/cpu/gemm_tile.h"
#include "anemone/runtime/cpu/highway_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "anemone/runtime/cpu/conv_winograd.cpp"
#include <hwy/foreach_target.h>  // must come before highway.h
//
#include <hwy/highway.h>

#include "anemone/runtime/cpu/copy_row-inl.h"
#include "anemone/runtime/cpu/epilogue-inl.h"

HWY_BEFORE_NAMESPACE();
namespace anemone::cpu {
namespace HWY_NAMESPACE {
namespace {

constexpr std::int64_t kOut = 4, kIn = 6, kPlaces = kIn * kIn;
constexpr std::int64_t kGroupPanels = 4;  // panels of outputs whose products are kept at a time
// Floats between the places of every array that has all 36: the transforms touch them at once, and at multiples of a
// page they would fall into one set of the cache.
constexpr std::int64_t kGap = 16;

// Floats from place to place of transformed weights.
std::int64_t PlaceSize(const ConvForm& form) { return form.params.out_channels * form.params.in_channels + kGap; }

// A block of tiles: the columns of the products. Some whole rows of tiles, or a part of one.
struct WinogradPlan {
  std::int64_t tiles_x, tiles_y;
  std::int64_t rows, run;       // rows of tiles of a block, tiles of a row in it
  std::int64_t columns;         // rows * run, up to whole vectors
  std::int64_t across, blocks;  // blocks beside each other, blocks of an image
  std::int64_t splits;          // tasks that share a block, each for some of the outputs
  std::int64_t length;          // of a phase of an input row
  std::int64_t group_rows;

  std::int64_t v_pitch, m_pitch;     // from place to place, in floats
  std::int64_t rows_size, out_size;  // floats of the scratch's other parts
};

WinogradPlan PlanOf(const ConvCall& call, int threads) {
  const ConvParams& p = call.form->params;
  const std::int64_t width = gemm_kernels().width(), lanes = gemm_kernels().lanes;
  WinogradPlan plan{};
  plan.tiles_x = (call.out_width + kOut - 1) / kOut;
  plan.tiles_y = (call.out_height + kOut - 1) / kOut;
  plan.run = std::min(plan.tiles_x, width);
  plan.rows = 1;
  const auto whole = [&](std::int64_t rows) { return (rows * plan.run + lanes - 1) / lanes * lanes; };
  // As many rows as leave the fewest columns of the last vector empty; a panel if there are so many, not more than two.
  for (std::int64_t rows = 2; plan.run == plan.tiles_x && rows <= plan.tiles_y && whole(rows) <= 2 * width; ++rows) {
    const std::int64_t before = whole(plan.rows) * rows, now = whole(rows) * plan.rows;
    if (now < before || (now == before && whole(rows) <= width)) plan.rows = rows;
  }
  plan.columns = whole(plan.rows);
  plan.across = (plan.tiles_x + plan.run - 1) / plan.run;
  plan.blocks = plan.across * ((plan.tiles_y + plan.rows - 1) / plan.rows);
  const RowPanels panels(p.out_channels, call.form->panel_rows);
  const std::int64_t groups = (panels.count + kGroupPanels - 1) / kGroupPanels;
  const std::int64_t all = plan.blocks * call.batch;
  // Two tasks a thread, so that none waits long for a late one; but every split of a block transforms its input again.
  plan.splits = std::clamp<std::int64_t>((2 * threads + all - 1) / all, 1, std::min<std::int64_t>(threads, groups));
  plan.length = (plan.run + 1 + 16 + 7) / 8 * 8;  // the last vector of a row may be read whole; written in eights
  plan.group_rows = kGroupPanels * call.form->panel_rows;
  plan.v_pitch = p.in_channels * plan.columns + kGap;
  plan.m_pitch = plan.group_rows * plan.columns + kGap;
  plan.rows_size = (kIn + 1) * kOut * plan.length;  // one more for the line before it is split
  plan.out_size = kOut * kOut * (plan.run + 16);
  return plan;
}

// Both transforms do the same along rows and along columns.
template <class V, class D>
HWY_INLINE void Forward(D d, V x0, V x1, V x2, V x3, V x4, V x5, V (&to)[kIn]) {
  const V two = hn::Set(d, 2.0f), four = hn::Set(d, 4.0f), five = hn::Set(d, 5.0f);
  const V even = hn::NegMulAdd(four, x2, x4), odd = hn::NegMulAdd(four, x1, x3);
  const V even2 = hn::Sub(x4, x2), odd2 = hn::Mul(two, hn::Sub(x3, x1));
  to[0] = hn::NegMulAdd(five, x2, hn::MulAdd(four, x0, x4));
  to[1] = hn::Add(even, odd);
  to[2] = hn::Sub(even, odd);
  to[3] = hn::Add(even2, odd2);
  to[4] = hn::Sub(even2, odd2);
  to[5] = hn::NegMulAdd(five, x3, hn::MulAdd(four, x1, x5));
}

template <class V, class D>
HWY_INLINE void Back(D d, V x0, V x1, V x2, V x3, V x4, V x5, V (&to)[kOut]) {
  const V two = hn::Set(d, 2.0f), four = hn::Set(d, 4.0f), eight = hn::Set(d, 8.0f);
  const V sum = hn::Add(x1, x2), difference = hn::Sub(x1, x2), sum2 = hn::Add(x3, x4), difference2 = hn::Sub(x3, x4);
  to[0] = hn::Add(hn::Add(x0, sum), sum2);
  to[1] = hn::MulAdd(two, difference2, difference);
  to[2] = hn::MulAdd(four, sum2, sum);
  to[3] = hn::Add(hn::MulAdd(eight, difference2, difference), x5);
}

// One channel of one row of tiles: `rows` are six input rows by phases, `to` is its first column at place 0; places are
// `pitch` floats apart. Writes whole vectors where there is room for them: what is too much belongs to columns that are
// written later.
template <class Tag>
void TransformInput(Tag d, const float* rows, const WinogradPlan& plan, float* to, std::int64_t room,
                    std::int64_t pitch) {
  using V = hn::Vec<Tag>;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t x = 0; x < plan.run; x += lanes, to += lanes, room -= lanes) {
    V half[kIn][kIn];  // transformed along columns, by column
    for (std::int64_t k = 0; k < kIn; ++k) {
      const float* from = rows + k % kOut * plan.length + k / kOut + x;
      const std::int64_t next = kOut * plan.length;
      Forward(d, hn::LoadU(d, from), hn::LoadU(d, from + next), hn::LoadU(d, from + 2 * next),
              hn::LoadU(d, from + 3 * next), hn::LoadU(d, from + 4 * next), hn::LoadU(d, from + 5 * next), half[k]);
    }
    for (std::int64_t i = 0; i < kIn; ++i) {
      V row[kIn];
      Forward(d, half[0][i], half[1][i], half[2][i], half[3][i], half[4][i], half[5][i], row);
      for (std::int64_t k = 0; k < kIn; ++k) {
        float* place = to + (i * kIn + k) * pitch;
        if (room >= lanes) {
          hn::StoreU(row[k], d, place);
        } else {
          HWY_ALIGN float edge[hn::MaxLanes(Tag())];
          hn::Store(row[k], d, edge);
          std::copy_n(edge, room, place);
        }
      }
    }
  }
}

// One channel of one row of tiles: `from` is its first column at place 0; four rows of pixels, `out_pitch` apart.
template <class Tag>
void TransformOutput(Tag d, const float* from, std::int64_t pitch, std::int64_t run, float bias, float* out,
                     std::int64_t out_pitch) {
  using V = hn::Vec<Tag>;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const V add = hn::Set(d, bias);
  for (std::int64_t x = 0; x < run; x += lanes, from += lanes, out += kOut * lanes) {
    V half[kIn][kOut];  // transformed along columns, by column
    for (std::int64_t k = 0; k < kIn; ++k) {
      const float* at = from + k * pitch;
      const std::int64_t next = kIn * pitch;
      Back(d, hn::LoadU(d, at), hn::LoadU(d, at + next), hn::LoadU(d, at + 2 * next), hn::LoadU(d, at + 3 * next),
           hn::LoadU(d, at + 4 * next), hn::LoadU(d, at + 5 * next), half[k]);
    }
    for (std::int64_t i = 0; i < kOut; ++i) {
      V row[kOut];
      Back(d, half[0][i], half[1][i], half[2][i], half[3][i], half[4][i], half[5][i], row);
      hn::StoreInterleaved4(hn::Add(row[0], add), hn::Add(row[1], add), hn::Add(row[2], add), hn::Add(row[3], add), d,
                            out + i * out_pitch);
    }
  }
}

struct Block {
  std::int64_t image, first_row, rows, first_tile, tiles;
};

// An input row from column `first` on, as far as the block reaches, by the remainder of its columns: phase j of `to`
// holds column first + 4 i + j at i. `line` is memory for the row in one piece.
void SplitRow4(const float* row, std::int64_t width, std::int64_t first, const Affine& affine, std::int64_t length,
               float* line, float* to) {
  const std::int64_t count = kOut * length;
  const std::int64_t begin = std::clamp<std::int64_t>(-first, 0, count);
  const std::int64_t end = std::clamp<std::int64_t>(width - first, begin, count);
  std::fill_n(line, begin, 0.0f);
  CopyRow(row + first + begin, 1, line + begin, end - begin, affine);
  std::fill(line + end, line + count, 0.0f);
  const hn::CappedTag<float, 8> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t i = 0; i < length; i += lanes) {
    hn::Vec<decltype(d)> x0, x1, x2, x3;
    hn::LoadInterleaved4(d, line + kOut * i, x0, x1, x2, x3);
    hn::StoreU(x0, d, to + i);
    hn::StoreU(x1, d, to + length + i);
    hn::StoreU(x2, d, to + 2 * length + i);
    hn::StoreU(x3, d, to + 3 * length + i);
  }
}

// V [place][channel][column] of a block.
void FillInput(const ConvCall& call, const WinogradPlan& plan, const Block& b, float* v, float* rows) {
  const ConvParams& p = call.form->params;
  const std::int64_t row_size = kOut * plan.length;
  float* line = rows + kIn * row_size;
  for (std::int64_t c = 0; c < p.in_channels; ++c) {
    const float* plane = call.in + (b.image * p.in_channels + c) * call.in_height * call.in_width;
    const Affine affine = AffineOf(*call.prologue, c);
    for (std::int64_t row = 0; row < b.rows; ++row) {
      for (std::int64_t y = 0; y < kIn; ++y) {
        const std::int64_t in_y = (b.first_row + row) * kOut - p.pad_top + y;
        float* to = rows + y * row_size;
        if (in_y < 0 || in_y >= call.in_height) {
          std::fill_n(to, row_size, 0.0f);
        } else {
          SplitRow4(plane + in_y * call.in_width, call.in_width, b.first_tile * kOut - p.pad_left, affine, plan.length,
                    line, to);
        }
      }
      float* to = v + c * plan.columns + row * plan.run;
      const std::int64_t room = plan.columns - row * plan.run;
      if (plan.run > 8) {
        TransformInput(hn::CappedTag<float, 16>(), rows, plan, to, room, plan.v_pitch);
      } else {
        TransformInput(hn::CappedTag<float, 8>(), rows, plan, to, room, plan.v_pitch);
      }
    }
  }
  // The products of columns without a tile are not looked at, but must not be slow.
  const std::int64_t used = b.rows * plan.run;
  for (std::int64_t place = 0; used < plan.columns && place < kPlaces; ++place) {
    for (std::int64_t c = 0; c < p.in_channels; ++c) {
      std::fill_n(v + place * plan.v_pitch + c * plan.columns + used, plan.columns - used, 0.0f);
    }
  }
}

// What is in `m` for some outputs becomes pixels.
void WriteOutput(const ConvCall& call, const WinogradPlan& plan, const Block& b, const float* m, std::int64_t channel,
                 float* pixels) {
  const ConvParams& p = call.form->params;
  const std::int64_t out_pitch = kOut * (plan.run + 16);
  const std::int64_t plane = (b.image * p.out_channels + channel) * call.out_height * call.out_width;
  for (std::int64_t row = 0; row < b.rows; ++row) {
    const float* from = m + row * plan.run;
    if (plan.run > 8) {
      TransformOutput(hn::CappedTag<float, 16>(), from, plan.m_pitch, b.tiles, call.bias[channel], pixels, out_pitch);
    } else {
      TransformOutput(hn::CappedTag<float, 8>(), from, plan.m_pitch, b.tiles, call.bias[channel], pixels, out_pitch);
    }
    const std::int64_t x = b.first_tile * kOut, count = std::min(b.tiles * kOut, call.out_width - x);
    for (std::int64_t i = 0; i < kOut; ++i) {
      const std::int64_t y = (b.first_row + row) * kOut + i;
      if (y >= call.out_height) break;
      const std::int64_t at = plane + y * call.out_width + x;
      FinishRow(hn::CappedTag<float, 16>(), pixels + i * out_pitch,
                call.epilogue->add ? call.epilogue->add + at : nullptr, call.out + at, count, *call.epilogue);
    }
  }
}

void RunTask(const ConvCall& call, const WinogradPlan& plan, std::int64_t task, float* scratch) {
  const ConvParams& p = call.form->params;
  const GemmKernels& kernels = gemm_kernels();
  const std::int64_t block = task % plan.blocks, split = task / plan.blocks % plan.splits;
  Block b{task / plan.blocks / plan.splits, block / plan.across * plan.rows, 0, block % plan.across * plan.run, 0};
  b.rows = std::min(plan.rows, plan.tiles_y - b.first_row);
  b.tiles = std::min(plan.run, plan.tiles_x - b.first_tile);
  float *v = scratch, *m = v + kPlaces * plan.v_pitch, *rows = m + kPlaces * plan.m_pitch,
        *pixels = rows + plan.rows_size;
  FillInput(call, plan, b, v, rows);

  const Epilogue none;
  GemmTile t;
  t.depth = p.in_channels;
  t.b_stride = t.out_stride = plan.columns;
  t.epilogue = &none;
  const RowPanels panels(p.out_channels, call.form->panel_rows);
  const std::int64_t last = (split + 1) * panels.count / plan.splits;
  for (std::int64_t group = split * panels.count / plan.splits; group < last; group += kGroupPanels) {
    const std::int64_t end = std::min(last, group + kGroupPanels), first_channel = panels.begin(group);
    for (std::int64_t place = 0; place < kPlaces; ++place) {
      for (std::int64_t panel = group; panel < end; ++panel) {
        const std::int64_t row = panels.begin(panel), size = panels.size(panel);
        t.a = call.weights + place * PlaceSize(*call.form) + row * p.in_channels;
        for (std::int64_t column = 0; column < plan.columns; column += kernels.width()) {
          t.b = v + place * plan.v_pitch + column;
          t.out = m + place * plan.m_pitch + (row - first_channel) * plan.columns + column;
          t.columns = std::min(kernels.width(), plan.columns - column);
          kernels.run[size](t);
        }
      }
    }
    for (std::int64_t channel = first_channel; channel < panels.begin(end - 1) + panels.size(end - 1); ++channel) {
      WriteOutput(call, plan, b, m + (channel - first_channel) * plan.columns, channel, pixels);
    }
  }
}

// G w G' along one dimension; G is the transform of the three taps.
template <class V, class D>
HWY_INLINE void ForwardWeights(D d, V w0, V w1, V w2, V (&to)[kIn]) {
  const V sixth = hn::Set(d, 1.0f / 6), twelfth = hn::Set(d, 1.0f / 12);
  const V quarter = hn::Mul(hn::Set(d, 0.25f), w0), outer = hn::Mul(sixth, hn::Add(w0, w2));
  const V even = hn::MulAdd(sixth, w2, hn::Mul(sixth, quarter)), odd = hn::Mul(twelfth, w1);
  to[0] = quarter;
  to[1] = hn::Neg(hn::MulAdd(sixth, w1, outer));
  to[2] = hn::MulSub(sixth, w1, outer);
  to[3] = hn::Add(even, odd);
  to[4] = hn::Sub(even, odd);
  to[5] = w2;
}

// From `begin` on as many numbers of a panel as fill whole vectors; `plane` numbers are a tap's, places are `pitch`
// apart. Returns the end.
template <class Tag>
std::int64_t TransformPanel(Tag d, const float* from, std::int64_t begin, std::int64_t plane, float* to,
                            std::int64_t pitch) {
  using V = hn::Vec<Tag>;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (; begin + lanes <= plane; begin += lanes) {
    V half[3][kIn];  // transformed along columns, by column
    for (std::int64_t k = 0; k < 3; ++k) {
      const float* at = from + k * plane + begin;
      ForwardWeights(d, hn::LoadU(d, at), hn::LoadU(d, at + 3 * plane), hn::LoadU(d, at + 6 * plane), half[k]);
    }
    for (std::int64_t i = 0; i < kIn; ++i) {
      V row[kIn];
      ForwardWeights(d, half[0][i], half[1][i], half[2][i], row);
      for (std::int64_t k = 0; k < kIn; ++k) hn::StoreU(row[k], d, to + (i * kIn + k) * pitch + begin);
    }
  }
  return begin;
}

}  // namespace

void TransformWeights(const ConvForm& form, const float* weights, float* to, runtime::ThreadPool& pool) {
  const std::int64_t channels = form.params.in_channels, pitch = PlaceSize(form);
  const RowPanels panels(form.params.out_channels, form.panel_rows);
  pool.parallel_ranges(panels.count, 2, [&](std::int64_t first, std::int64_t last, int) {
    for (std::int64_t panel = first; panel < last; ++panel) {
      const float* from = weights + panels.begin(panel) * 9 * channels;
      float* panel_to = to + panels.begin(panel) * channels;
      const std::int64_t plane = panels.size(panel) * channels;
      const std::int64_t done = TransformPanel(hn::CappedTag<float, 16>(), from, 0, plane, panel_to, pitch);
      TransformPanel(hn::CappedTag<float, 1>(), from, done, plane, panel_to, pitch);
    }
  });
}

void ConvWinograd(const ConvCall& call, runtime::ThreadPool& pool) {
  const WinogradPlan plan = PlanOf(call, pool.threads());
  const std::int64_t floats = kPlaces * (plan.v_pitch + plan.m_pitch) + plan.rows_size + plan.out_size + 16;
  run_tasks(call.batch * plan.splits * plan.blocks, floats, pool,
            [&](std::int64_t task, float* scratch) { RunTask(call, plan, task, scratch); });
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace anemone::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace anemone::cpu {

HWY_EXPORT(TransformWeights);
void transform_weights(const ConvForm& form, const float* weights, float* to, runtime::ThreadPool& pool) {
  HWY_DYNAMIC_DISPATCH(TransformWeights)(form, weights, to, pool);
}
std::int64_t transformed_count(const ConvForm& form) { return HWY_NAMESPACE::kPlaces * HWY_NAMESPACE::PlaceSize(form); }

HWY_EXPORT(ConvWinograd);
void conv2d_winograd(const ConvCall& call, runtime::ThreadPool& pool) {
  HWY_DYNAMIC_DISPATCH(ConvWinograd)(call, pool);
}

}  // namespace anemone::cpu
#endif
