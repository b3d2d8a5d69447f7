// Moves between space, depth and batch: depth_to_space, space_to_depth, pixel_shuffle, pixel_unshuffle, space_to_batch,
// batch_to_space. All take [N, C, H, W].
#include <algorithm>

#include "anemone/ops/eval_util.h"
#include "anemone/ops/families.h"
#include "anemone/ops/infer_util.h"

namespace anemone::ops {
namespace {

constexpr Param kBlock[] = {input("x"), fixed("block_size", kInt32)};
constexpr Param kShuffle[] = {input("x"), fixed("upscale_factor", kInt32)};
constexpr Param kUnshuffle[] = {input("x"), fixed("downscale_factor", dtype_bit(DType::uint32))};

std::int64_t divided(std::int64_t extent, std::int64_t by) { return extent == kUnknown ? kUnknown : extent / by; }

// (C1) rank 4, (C2) a positive factor, (C3) that divides.
Types infer_scaled(const InferView& v, std::string_view param, bool to_space) {
  const Type& x = v.type("x");
  TRY_VOID(check_rank(v, "x", 4, 4));  // (C1)
  const std::int64_t b = v.integer(param);
  if (b < 1 || b > (1 << 15)) return v.wrong(param, fmt::format("{} is not a factor", b));  // (C2)
  if (!x.ranked) return one(x);
  const auto divides = [](std::int64_t extent, std::int64_t by) { return extent == kUnknown || extent % by == 0; };
  if (to_space ? !divides(x.dims[1], b * b) : !divides(x.dims[2], b) || !divides(x.dims[3], b)) {  // (C3)
    return v.wrong(param, fmt::format("{} does not divide {}", b, brief(x.dims)));
  }
  if (to_space) return one(x.dtype, {x.dims[0], divided(x.dims[1], b * b), times(x.dims[2], b), times(x.dims[3], b)});
  return one(x.dtype, {x.dims[0], times(x.dims[1], b * b), divided(x.dims[2], b), divided(x.dims[3], b)});
}
Types infer_depth_to_space(const InferView& v) { return infer_scaled(v, "block_size", true); }
Types infer_space_to_depth(const InferView& v) { return infer_scaled(v, "block_size", false); }
Types infer_shuffle(const InferView& v) { return infer_scaled(v, "upscale_factor", true); }
Types infer_unshuffle(const InferView& v) { return infer_scaled(v, "downscale_factor", false); }

constexpr Form kDepthToSpaceForms[] = {{Target::ios15, kBlock, infer_depth_to_space}};
constexpr Form kSpaceToDepthForms[] = {{Target::ios15, kBlock, infer_space_to_depth}};
constexpr Form kShuffleForms[] = {{Target::ios15, kShuffle, infer_shuffle}};
constexpr Form kUnshuffleForms[] = {{Target::ios16, kUnshuffle, infer_unshuffle}};

// Pairs element (n, c, row·b + i, column·b + j) of the wide tensor with the deep one's channel: (i·b + j)·C + c when
// the block comes first (DCR), c·b² + i·b + j when the channel does (CRD).
void move_blocks(EvalView& v, std::int64_t b, bool to_space, bool block_first) {
  const Array& x = v.in("x");
  Array& y = v.out();
  const Array &wide = to_space ? y : x, &deep = to_space ? x : y;
  const Dims strides = row_major_strides(deep.dims);
  const std::int64_t channels = wide.dims[1];
  for_each_index(wide.dims, [&](const Dims& index, std::size_t flat) {
    const std::int64_t in_block = index[2] % b * b + index[3] % b;
    const std::int64_t channel = block_first ? in_block * channels + index[1] : index[1] * b * b + in_block;
    const std::size_t other = offset(Dims{index[0], channel, index[2] / b, index[3] / b}, strides);
    if (to_space) {
      y.data[flat] = x.data[other];
    } else {
      y.data[other] = x.data[flat];
    }
  });
}
Result<void> eval_depth_to_space(EvalView& v) {
  move_blocks(v, v.integer("block_size"), true, true);
  return {};
}
Result<void> eval_space_to_depth(EvalView& v) {
  move_blocks(v, v.integer("block_size"), false, true);
  return {};
}
Result<void> eval_shuffle(EvalView& v) {
  move_blocks(v, v.integer("upscale_factor"), true, false);
  return {};
}
Result<void> eval_unshuffle(EvalView& v) {
  move_blocks(v, v.integer("downscale_factor"), false, false);
  return {};
}

// space_to_batch, batch_to_space: the block offset is the major part of the batch index.
constexpr Param kToBatch[] = {input("x"), fixed("block_shape", kInt32), fixed("paddings", kInt32)};
constexpr Param kFromBatch[] = {input("x"), fixed("block_shape", kInt32), fixed("crops", kInt32)};

struct Blocks {
  std::int64_t rows = 1, columns = 1;  // of a block
  Dims margins;                        // top, bottom, left, right
};
Result<Blocks> blocks_of(const InferView& v, std::string_view margins) {
  TRY_VOID(check_rank(v, "x", 4, 4));            // (C1)
  TRY_VOID(check_length(v, "block_shape", 2));   // (C2)
  TRY_VOID(check_dims(v, margins, Dims{2, 2}));  // (C3)
  TRY_VOID(check_numbers(v, "block_shape", 2, -kHuge));
  TRY_VOID(check_numbers(v, margins, 4, -kHuge));
  const Dims shape = v.ints("block_shape");
  Blocks b{shape[0], shape[1], v.ints(margins)};
  if (b.rows < 1 || b.columns < 1 || b.rows > (1 << 15) || b.columns > (1 << 15)) {  // (C4)
    return v.wrong("block_shape", fmt::format("{} is not positive", brief(shape)));
  }
  if (std::any_of(b.margins.begin(), b.margins.end(), [](std::int64_t m) { return m < 0; })) {  // (C5)
    return v.wrong(margins, fmt::format("{} is negative somewhere", brief(b.margins)));
  }
  return b;
}

Types infer_to_batch(const InferView& v) {
  TRY(const Blocks b, blocks_of(v, "paddings"));
  const Type& x = v.type("x");
  if (!x.ranked) return one(x);
  const std::int64_t height = plus(x.dims[2], b.margins[0] + b.margins[1]),
                     width = plus(x.dims[3], b.margins[2] + b.margins[3]);
  if ((height != kUnknown && height % b.rows) || (width != kUnknown && width % b.columns)) {  // (C6)
    return v.wrong("block_shape", fmt::format("{}×{} does not divide {}×{}", b.rows, b.columns, height, width));
  }
  return one(x.dtype,
             {times(x.dims[0], b.rows * b.columns), x.dims[1], divided(height, b.rows), divided(width, b.columns)});
}
Types infer_from_batch(const InferView& v) {
  TRY(const Blocks b, blocks_of(v, "crops"));
  const Type& x = v.type("x");
  if (!x.ranked) return one(x);
  if (x.dims[0] != kUnknown && x.dims[0] % (b.rows * b.columns)) {  // (C6)
    return v.wrong("block_shape", fmt::format("{}×{} does not divide the batch of {}", b.rows, b.columns, x.dims[0]));
  }
  const std::int64_t height = minus(times(x.dims[2], b.rows), b.margins[0] + b.margins[1]);
  const std::int64_t width = minus(times(x.dims[3], b.columns), b.margins[2] + b.margins[3]);
  if ((x.dims[2] != kUnknown && height < 1) || (x.dims[3] != kUnknown && width < 1)) {  // (C7)
    return v.wrong("crops", fmt::format("{} leaves nothing", brief(b.margins)));
  }
  return one(x.dtype, {divided(x.dims[0], b.rows * b.columns), x.dims[1], height, width});
}
constexpr Form kToBatchForms[] = {{Target::ios15, kToBatch, infer_to_batch}};
constexpr Form kFromBatchForms[] = {{Target::ios15, kFromBatch, infer_from_batch}};

// Pairs every element of the tensor with many samples with its place in the one with wide planes.
template <class Visit>
void for_each_pair(const Dims& many, const Dims& wide, const Dims& shape, std::int64_t top, std::int64_t left,
                   Visit&& visit) {
  const Dims strides = row_major_strides(wide);
  for_each_index(many, [&](const Dims& index, std::size_t flat) {
    const std::int64_t in_block = index[0] / wide[0];
    const std::int64_t row = index[2] * shape[0] + in_block / shape[1] - top;
    const std::int64_t column = index[3] * shape[1] + in_block % shape[1] - left;
    if (row < 0 || row >= wide[2] || column < 0 || column >= wide[3]) return;
    visit(flat, offset(Dims{index[0] % wide[0], index[1], row, column}, strides));
  });
}
Result<void> eval_to_batch(EvalView& v) {
  const Array& x = v.in("x");
  const Dims margins = v.ints("paddings");
  for_each_pair(v.out().dims, x.dims, v.ints("block_shape"), margins[0], margins[2],
                [&](std::size_t many, std::size_t wide) { v.out().data[many] = x.data[wide]; });
  return {};
}
Result<void> eval_from_batch(EvalView& v) {
  const Array& x = v.in("x");
  const Dims margins = v.ints("crops");
  for_each_pair(x.dims, v.out().dims, v.ints("block_shape"), margins[0], margins[2],
                [&](std::size_t many, std::size_t wide) { v.out().data[wide] = x.data[many]; });
  return {};
}

constexpr OpDef kOps[] = {
    {.name = "depth_to_space",
     .summary = "blocks out of channels, the block index first (DCR)",
     .forms = kDepthToSpaceForms,
     .eval = eval_depth_to_space,
     .traits = kMovement},
    {.name = "space_to_depth",
     .summary = "channels out of blocks, the block index first",
     .forms = kSpaceToDepthForms,
     .eval = eval_space_to_depth,
     .traits = kMovement},
    {.name = "pixel_shuffle",
     .summary = "blocks out of channels, the channel first (CRD)",
     .forms = kShuffleForms,
     .eval = eval_shuffle,
     .traits = kMovement},
    {.name = "pixel_unshuffle",
     .summary = "channels out of blocks, the channel first",
     .forms = kUnshuffleForms,
     .eval = eval_unshuffle,
     .traits = kMovement},
    {.name = "space_to_batch",
     .summary = "samples out of blocks, after padding with 0",
     .forms = kToBatchForms,
     .eval = eval_to_batch,
     .traits = kMovement},
    {.name = "batch_to_space",
     .summary = "blocks out of samples, then cropped",
     .forms = kFromBatchForms,
     .eval = eval_from_batch,
     .traits = kMovement},
};

}  // namespace

std::span<const OpDef> space() { return kOps; }

}  // namespace anemone::ops
