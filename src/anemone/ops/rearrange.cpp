// Operations that copy elements to other places: tile, pad, reverse, the shuffles between space, depth and batch,
// sliding_windows, band_part; and cumsum.
#include <algorithm>

#include "anemone/ops/eval_util.h"
#include "anemone/ops/families.h"
#include "anemone/ops/infer_util.h"

namespace anemone::ops {
namespace {

// tile
constexpr Param kTile15[] = {input("x", kNumbersBool), input("reps", kInt32, 0)};
constexpr Param kTile17[] = {input("x", kAny17), input("reps", kInt32, 0)};
Types infer_tile(const InferView& v) {
  const Type& x = v.type("x");
  if (!x.ranked) return one(x);
  TRY_VOID(check_length(v, "reps", x.rank()));  // (C1) one number a dimension
  const auto reps = v.known_ints("reps");
  Dims out = x.dims;
  for (std::size_t d = 0; d < out.size(); ++d) {
    if (reps && (*reps)[d] < 1)
      return v.wrong("reps", fmt::format("{} in dimension {}", (*reps)[d], d));  // (C2) positive
    out[d] = reps ? times(out[d], (*reps)[d]) : kUnknown;
  }
  return one(x.dtype, std::move(out));
}
constexpr Form kTileForms[] = {{Target::ios15, kTile15, infer_tile}, {Target::ios17, kTile17, infer_tile}};
Result<void> eval_tile(EvalView& v) {
  const Array& x = v.in("x");
  Array& y = v.out();
  const Dims strides = row_major_strides(x.dims);
  for_each_index(y.dims, [&](const Dims& index, std::size_t flat) {
    std::int64_t at = 0;
    for (std::size_t d = 0; d < strides.size(); ++d) at += index[d] % x.dims[d] * strides[d];
    y.data[flat] = x.data[static_cast<std::size_t>(at)];
  });
  return {};
}

// pad: before and after each of the last dimensions.
constexpr Param kPad[] = {input("x"), input("pad", kInt32, 0), option("mode", kString, 0, "constant"),
                          option("constant_val", kFloats, 'T', 0)};
Types infer_pad(const InferView& v) {
  const Type &x = v.type("x"), &operand = v.type("pad");
  TRY_VOID(check_rank(v, "pad", 1, 1));                                   // (C1)
  TRY_VOID(check_word(v, "mode", {"constant", "reflect", "replicate"}));  // (C2)
  if (!x.ranked) return one(x);
  const auto pad = v.known_ints("pad");
  const std::int64_t count = pad ? static_cast<std::int64_t>(pad->size()) : operand.ranked ? operand.dims[0] : kUnknown;
  if (count != kUnknown && (count % 2 != 0 || count / 2 > x.rank())) {  // (C3) pairs, not more than dimensions
    return v.wrong("pad", fmt::format("{} numbers for rank {}", count, x.rank()));
  }
  if (!pad) return one(x.dtype, Dims(x.dims.size(), kUnknown));
  const std::string mode = v.text("mode");
  Dims out = x.dims;
  const std::size_t first = out.size() - pad->size() / 2;
  for (std::size_t i = 0; 2 * i < pad->size(); ++i) {
    const std::int64_t before = (*pad)[2 * i], after = (*pad)[2 * i + 1];
    if (before < 0 || after < 0)
      return v.wrong("pad", fmt::format("{} is negative somewhere", brief(*pad)), "use crop");  // (C4)
    std::int64_t& extent = out[first + i];
    const std::int64_t most = mode == "reflect" ? extent - 1 : extent;
    if (mode != "constant" && extent != kUnknown && std::max(before, after) > most) {  // (C5) enough to mirror
      return v.wrong("pad", fmt::format("{} does not fit mode \"{}\" and an extent of {}", brief(*pad), mode, extent));
    }
    extent = plus(extent, before + after);
  }
  return one(x.dtype, std::move(out));
}
constexpr Form kPadForms[] = {{Target::ios15, kPad, infer_pad}};
Result<void> eval_pad(EvalView& v) {
  const Array& x = v.in("x");
  Array& y = v.out();
  const Dims pad = v.ints_of("pad"), strides = row_major_strides(x.dims);
  const std::size_t first = x.dims.size() - pad.size() / 2;
  const std::string mode = v.text("mode");
  const double value = number_of(v, "constant_val");
  for_each_index(y.dims, [&](const Dims& index, std::size_t flat) {
    std::int64_t at = 0;
    bool inside = true;
    for (std::size_t d = 0; d < strides.size(); ++d) {
      std::int64_t i = d < first ? index[d] : index[d] - pad[2 * (d - first)];
      const std::int64_t last = x.dims[d] - 1;  // -1 of nothing, where all is margin
      inside = inside && i >= 0 && i <= last;
      if (mode == "reflect") i = i < 0 ? -i : i > last ? 2 * last - i : i;
      at += std::clamp<std::int64_t>(i, 0, std::max<std::int64_t>(last, 0)) * strides[d];
    }
    y.data[flat] = inside || mode != "constant" ? x.data[static_cast<std::size_t>(at)] : value;
  });
  return {};
}

// reverse, reverse_sequence
constexpr Param kReverse15[] = {input("x", kNumbersBool), option("axes", kInt32, 0, derived("all"))};
constexpr Param kReverse17[] = {input("x", kAny17), option("axes", kInt32, 0, derived("all"))};
constexpr Param kReverseSequence15[] = {input("x", kNumbersBool), input("lengths", kInt32, 0),
                                        option("seq_axis", kInt32, 0, 0), option("batch_axis", kInt32, 0, 0)};
constexpr Param kReverseSequence17[] = {input("x", kAny17), input("lengths", kIndices17, 0),
                                        option("seq_axis", kInt32, 0, 0), option("batch_axis", kInt32, 0, 0)};
Types infer_reverse(const InferView& v) {
  const Type& x = v.type("x");
  if (x.ranked) TRY_VOID(axes_in(v, "axes", v.ints("axes"), x.rank()));  // (C1) axes exist, once each
  return one(x);
}
Types infer_reverse_sequence(const InferView& v) {
  const Type& x = v.type("x");
  if (!x.ranked) return one(x);
  TRY_VOID(axis_in(v, "seq_axis", v.integer("seq_axis"), x.rank()));  // (C1)
  TRY(const std::int64_t batch, axis_in(v, "batch_axis", v.integer("batch_axis"), x.rank()));
  TRY_VOID(check_length(v, "lengths", x.dims[static_cast<std::size_t>(batch)]));  // (C2) one a sample
  return one(x);
}
constexpr Form kReverseForms[] = {{Target::ios15, kReverse15, infer_reverse},
                                  {Target::ios17, kReverse17, infer_reverse}};
constexpr Form kReverseSequenceForms[] = {{Target::ios15, kReverseSequence15, infer_reverse_sequence},
                                          {Target::ios17, kReverseSequence17, infer_reverse_sequence}};
Result<void> eval_reverse(EvalView& v) {
  const Array& x = v.in("x");
  const Dims strides = row_major_strides(x.dims);
  std::vector<bool> turned(x.dims.size(), !v.has("axes"));
  for (std::int64_t axis : v.ints("axes")) turned[wrap_axis(axis, x.rank())] = true;
  for_each_index(x.dims, [&](const Dims& index, std::size_t flat) {
    std::int64_t at = 0;
    for (std::size_t d = 0; d < strides.size(); ++d)
      at += (turned[d] ? x.dims[d] - 1 - index[d] : index[d]) * strides[d];
    v.out().data[flat] = x.data[static_cast<std::size_t>(at)];
  });
  return {};
}
Result<void> eval_reverse_sequence(EvalView& v) {
  const Array& x = v.in("x");
  const Dims strides = row_major_strides(x.dims), lengths = v.ints_of("lengths");
  const std::size_t seq = wrap_axis(v.integer("seq_axis"), x.rank()),
                    batch = wrap_axis(v.integer("batch_axis"), x.rank());
  for (std::int64_t length : lengths) {
    if (length < 0 || length > x.dims[seq]) return v.wrong("lengths", fmt::format("{} of {}", length, x.dims[seq]));
  }
  for_each_index(x.dims, [&](const Dims& index, std::size_t flat) {
    const std::int64_t length = lengths[static_cast<std::size_t>(index[batch])], i = index[seq];
    const std::int64_t shift = i < length ? length - 1 - 2 * i : 0;
    v.out().data[flat] = x.data[static_cast<std::size_t>(static_cast<std::int64_t>(flat) + shift * strides[seq])];
  });
  return {};
}

// band_part: of each matrix in the last two dimensions, `lower` diagonals below and `upper` above the main one.
constexpr Param kBand[] = {input("x", kNumbersBool), option("lower", kInt32, 0, -1), option("upper", kInt32, 0, -1)};
Types infer_band(const InferView& v) {
  TRY_VOID(check_rank(v, "x", 2, 5));  // (C1)
  return same_as_x(v);
}
constexpr Form kBandForms[] = {{Target::ios15, kBand, infer_band}};
Result<void> eval_band(EvalView& v) {
  const Array& x = v.in("x");
  const std::int64_t lower = v.integer("lower"), upper = v.integer("upper");
  for_each_index(x.dims, [&](const Dims& index, std::size_t flat) {
    const std::int64_t row = index[index.size() - 2], column = index[index.size() - 1];
    const bool kept = (lower < 0 || row - column <= lower) && (upper < 0 || column - row <= upper);
    v.out().data[flat] = kept ? x.data[flat] : 0;
  });
  return {};
}

// cumsum
constexpr Param kCumsum[] = {input("x", kNumbers), option("axis", kInt32, 0, 0), option("exclusive", kBool, 0, false),
                             option("reverse", kBool, 0, false)};
Types infer_cumsum(const InferView& v) {
  const Type& x = v.type("x");
  if (x.ranked) TRY_VOID(axis_in(v, "axis", v.integer("axis"), x.rank()));  // (C1)
  return one(x);
}
constexpr Form kCumsumForms[] = {{Target::ios15, kCumsum, infer_cumsum}};
Result<void> eval_cumsum(EvalView& v) {
  const Array& x = v.in("x");
  const AxisView view(x.dims, wrap_axis(v.integer("axis"), x.rank()));
  const bool exclusive = v.flag("exclusive"), reverse = v.flag("reverse");
  for (std::int64_t o = 0; o < view.outer; ++o) {
    for (std::int64_t in = 0; in < view.inner; ++in) {
      double sum = 0;
      for (std::int64_t k = 0; k < view.extent; ++k) {
        const std::size_t at = view.at(o, reverse ? view.extent - 1 - k : k, in);
        if (exclusive) v.out().data[at] = sum;
        sum += x.data[at];
        if (!exclusive) v.out().data[at] = sum;
      }
    }
  }
  return {};
}

// sliding_windows: windows of `size` elements along axis, every `stride`; a new dimension after the axis.
constexpr Param kSliding15[] = {input("x", kNumbers), fixed("axis", kInt32), fixed("size", kInt32),
                                option("stride", kInt32, 0, 1)};
constexpr Param kSliding17[] = {input("x", kAny17), fixed("axis", kInt32), fixed("size", kInt32),
                                option("stride", kInt32, 0, 1)};
Types infer_sliding(const InferView& v) {
  const Type& x = v.type("x");
  if (!x.ranked) return one(x);
  TRY(const std::int64_t axis, axis_in(v, "axis", v.integer("axis"), x.rank()));  // (C1)
  const std::int64_t size = v.integer("size"), stride = v.integer("stride"),
                     extent = x.dims[static_cast<std::size_t>(axis)];
  if (size < 1 || stride < 1 || (extent != kUnknown && size > extent)) {  // (C2) at least one window
    return v.wrong("size", fmt::format("{} with stride {} does not fit an extent of {}", size, stride, extent));
  }
  Dims out = x.dims;
  if (extent != kUnknown) out[static_cast<std::size_t>(axis)] = (extent - size) / stride + 1;
  out.insert(out.begin() + axis + 1, size);
  return one(x.dtype, std::move(out));
}
constexpr Form kSlidingForms[] = {{Target::ios15, kSliding15, infer_sliding},
                                  {Target::ios17, kSliding17, infer_sliding}};
Result<void> eval_sliding(EvalView& v) {
  const Array& x = v.in("x");
  Array& y = v.out();
  const std::size_t axis = wrap_axis(v.integer("axis"), x.rank());
  Dims strides = row_major_strides(x.dims);
  const std::int64_t step = strides[axis];
  strides[axis] = step * v.integer("stride");
  strides.insert(strides.begin() + static_cast<std::ptrdiff_t>(axis) + 1, step);
  for_each_index(y.dims, [&](const Dims& index, std::size_t flat) { y.data[flat] = x.data[offset(index, strides)]; });
  return {};
}

constexpr OpDef kOps[] = {
    {.name = "tile",
     .summary = "x repeated along each dimension",
     .forms = kTileForms,
     .eval = eval_tile,
     .traits = kMovement},
    {.name = "pad",
     .summary = "x with margins around its last dimensions",
     .forms = kPadForms,
     .eval = eval_pad,
     .traits = kMovement},
    {.name = "reverse",
     .summary = "x backwards along axes",
     .forms = kReverseForms,
     .eval = eval_reverse,
     .traits = kMovement},
    {.name = "reverse_sequence",
     .summary = "the first lengths[b] elements of each sample backwards",
     .forms = kReverseSequenceForms,
     .eval = eval_reverse_sequence,
     .traits = kMovement},
    {.name = "band_part", .summary = "x near the main diagonal, 0 elsewhere", .forms = kBandForms, .eval = eval_band},
    {.name = "cumsum", .summary = "running sums along axis", .forms = kCumsumForms, .eval = eval_cumsum},
    {.name = "sliding_windows",
     .summary = "overlapping windows along axis, in a new dimension after it",
     .forms = kSlidingForms,
     .eval = eval_sliding,
     .traits = kMovement},
};

}  // namespace

std::span<const OpDef> rearrange() { return kOps; }

}  // namespace anemone::ops
