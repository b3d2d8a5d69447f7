// gather, gather_along_axis, gather_nd. Negative indices count from the end; Core ML promises that up to iOS16 only.
#include <algorithm>

#include "anemone/ops/eval_util.h"
#include "anemone/ops/families.h"
#include "anemone/ops/infer_util.h"

namespace anemone::ops {
namespace {

constexpr DTypeSet kIndices16 = kInt32 | dtype_bit(DType::int16) | dtype_bit(DType::uint16);
constexpr DTypeSet kIndicesAll = kInt32 | kSmallInts;
constexpr DTypeSet kData17 = kNumbersBool | kSmallInts;
constexpr DTypeSet kData15 = kNumbersBool;

constexpr Param kGather15[] = {input("x", kData15), input("indices", kInt32, 0), option("axis", kInt32, 0, 0)};
constexpr Param kGather16[] = {input("x", kData15), input("indices", kIndices16, 0), option("axis", kInt32, 0, 0),
                               option("batch_dims", kInt32, 0, 0)};
constexpr Param kGather17[] = {input("x", kData17), input("indices", kIndicesAll, 0), option("axis", kInt32, 0, 0),
                               option("batch_dims", kInt32, 0, 0), option("validate_indices", kBool, 0, false)};
constexpr Param kAlong15[] = {input("x", kData15), input("indices", kInt32, 0), option("axis", kInt32, 0, 0)};
constexpr Param kAlong16[] = {input("x", kData15), input("indices", kIndices16, 0), option("axis", kInt32, 0, 0)};
constexpr Param kAlong17[] = {input("x", kData17), input("indices", kIndicesAll, 0), option("axis", kInt32, 0, 0),
                              option("validate_indices", kBool, 0, false)};
constexpr Param kNd15[] = {input("x", kData15), input("indices", kInt32, 0)};
constexpr Param kNd16[] = {input("x", kData15), input("indices", kIndices16, 0), option("batch_dims", kInt32, 0, 0)};
constexpr Param kNd17[] = {input("x", kData17), input("indices", kIndicesAll, 0), option("batch_dims", kInt32, 0, 0),
                           option("validate_indices", kBool, 0, false)};

// (C1) batch_dims leading dimensions exist in both and agree.
Result<std::size_t> batch_dims(const InferView& v, const Type& x, const Type& indices, std::int64_t most) {
  const std::int64_t count = v.integer("batch_dims");
  if (count < 0 || count > most || count > x.rank() || count > indices.rank()) {
    return v.wrong("batch_dims", fmt::format("{} for {} and indices {}", count, brief(x.dims), brief(indices.dims)));
  }
  const auto n = static_cast<std::size_t>(count);
  if (!may_equal(std::span(x.dims).first(n), std::span(indices.dims).first(n))) {
    return v.wrong("indices",
                   fmt::format("{} do not share {} batch dimensions with {}", brief(indices.dims), n, brief(x.dims)));
  }
  return n;
}

// The position an index names; E0700 when it is outside.
Result<std::int64_t> checked(const EvalView& v, double index, std::int64_t extent) {
  const auto i = static_cast<std::int64_t>(index);
  if (i < -extent || i >= extent) return v.wrong("indices", fmt::format("{} is outside of {} elements", i, extent));
  return i < 0 ? i + extent : i;
}

// gather: x[:axis] + indices[batch_dims:] + x[axis+1:]
Types infer_gather(const InferView& v) {
  const Type &x = v.type("x"), &indices = v.type("indices");
  if (!x.ranked || !indices.ranked) return one(Type::unranked(x.dtype));
  TRY(const std::int64_t axis, axis_in(v, "axis", v.integer("axis"), x.rank()));  // (C2)
  TRY(const std::size_t batch, batch_dims(v, x, indices, axis));
  Dims out(x.dims.begin(), x.dims.begin() + axis);
  out.insert(out.end(), indices.dims.begin() + static_cast<std::ptrdiff_t>(batch), indices.dims.end());
  out.insert(out.end(), x.dims.begin() + axis + 1, x.dims.end());
  return one(x.dtype, std::move(out));
}
constexpr Form kGatherForms[] = {{Target::ios15, kGather15, infer_gather},
                                 {Target::ios16, kGather16, infer_gather},
                                 {Target::ios17, kGather17, infer_gather}};
Result<void> eval_gather(EvalView& v) {
  const Array &x = v.in("x"), &indices = v.in("indices");
  Array& y = v.out();
  const std::size_t axis = wrap_axis(v.integer("axis"), x.rank());
  const auto batch = static_cast<std::size_t>(v.integer("batch_dims"));
  // x as [batch, between, axis, inner], indices as [batch, picks].
  const std::int64_t batches = product(std::span(x.dims).first(batch)),
                     picks = product(std::span(indices.dims).subspan(batch));
  const AxisView view(x.dims, axis);
  const std::int64_t between = batches == 0 ? 0 : view.outer / batches;
  std::size_t at = 0;
  for (std::int64_t b = 0; b < batches; ++b) {
    for (std::int64_t o = 0; o < between; ++o) {
      for (std::int64_t p = 0; p < picks; ++p) {
        TRY(const std::int64_t i, checked(v, indices.data[static_cast<std::size_t>(b * picks + p)], view.extent));
        for (std::int64_t in = 0; in < view.inner; ++in) y.data[at++] = x.data[view.at(b * between + o, i, in)];
      }
    }
  }
  return {};
}

// gather_along_axis: y[…, i, …] = x[…, indices[…, i, …], …]
Types infer_along(const InferView& v) {
  const Type &x = v.type("x"), &indices = v.type("indices");
  if (!x.ranked || !indices.ranked) return one(Type::unranked(x.dtype));
  TRY(const std::int64_t axis, axis_in(v, "axis", v.integer("axis"), x.rank()));  // (C1)
  Dims expected = x.dims;
  if (indices.rank() == x.rank())
    expected[static_cast<std::size_t>(axis)] = indices.dims[static_cast<std::size_t>(axis)];
  if (!may_equal(expected, indices.dims)) {  // (C2) equal ranks, and extents but for the axis
    return v.wrong("indices", fmt::format("{} differ from x, {}, elsewhere than in dimension {}", brief(indices.dims),
                                          brief(x.dims), axis));
  }
  return one(x.dtype, indices.dims);
}
constexpr Form kAlongForms[] = {{Target::ios15, kAlong15, infer_along},
                                {Target::ios16, kAlong16, infer_along},
                                {Target::ios17, kAlong17, infer_along}};
Result<void> eval_along(EvalView& v) {
  const Array &x = v.in("x"), &indices = v.in("indices");
  Array& y = v.out();
  const std::size_t axis = wrap_axis(v.integer("axis"), x.rank());
  const AxisView from(x.dims, axis), to(y.dims, axis);
  for (std::int64_t o = 0; o < to.outer; ++o) {
    for (std::int64_t k = 0; k < to.extent; ++k) {
      for (std::int64_t in = 0; in < to.inner; ++in) {
        TRY(const std::int64_t i, checked(v, indices.data[to.at(o, k, in)], from.extent));
        y.data[to.at(o, k, in)] = x.data[from.at(o, i, in)];
      }
    }
  }
  return {};
}

// gather_nd: the last dimension of indices holds positions in the leading dimensions of x.
Types infer_nd(const InferView& v) {
  const Type &x = v.type("x"), &indices = v.type("indices");
  if (!x.ranked || !indices.ranked) return one(Type::unranked(x.dtype));
  TRY_VOID(check_rank(v, "indices", 1, 5));  // (C2)
  TRY(const std::size_t batch, batch_dims(v, x, indices, indices.rank() - 1));
  const std::int64_t depth = indices.dims.back();
  if (depth == kUnknown) return one(Type::unranked(x.dtype));
  if (depth < 1 || static_cast<std::int64_t>(batch) + depth > x.rank()) {  // (C3) not deeper than x
    return v.wrong("indices", fmt::format("name {} dimensions behind {} of batch, x has {}", depth, batch, x.rank()));
  }
  Dims out(indices.dims.begin(), indices.dims.end() - 1);
  out.insert(out.end(), x.dims.begin() + static_cast<std::ptrdiff_t>(batch) + depth, x.dims.end());
  return one(x.dtype, std::move(out));
}
constexpr Form kNdForms[] = {
    {Target::ios15, kNd15, infer_nd}, {Target::ios16, kNd16, infer_nd}, {Target::ios17, kNd17, infer_nd}};
Result<void> eval_nd(EvalView& v) {
  const Array &x = v.in("x"), &indices = v.in("indices");
  Array& y = v.out();
  const auto batch = static_cast<std::size_t>(v.integer("batch_dims"));
  const auto depth = static_cast<std::size_t>(indices.dims.back());
  const Dims strides = row_major_strides(x.dims);
  const std::int64_t block = product(std::span(x.dims).subspan(batch + depth));
  const std::int64_t picks = product(std::span(indices.dims).first(indices.dims.size() - 1));
  const std::int64_t per_batch = picks / std::max<std::int64_t>(1, product(std::span(x.dims).first(batch)));
  const std::int64_t batch_stride = product(std::span(x.dims).subspan(batch));
  for (std::int64_t p = 0; p < picks; ++p) {
    std::int64_t from = p / per_batch * batch_stride;
    for (std::size_t d = 0; d < depth; ++d) {
      TRY(const std::int64_t i, checked(v, indices.data[static_cast<std::size_t>(p) * depth + d], x.dims[batch + d]));
      from += i * strides[batch + d];
    }
    for (std::int64_t k = 0; k < block; ++k) {
      y.data[static_cast<std::size_t>(p * block + k)] = x.data[static_cast<std::size_t>(from + k)];
    }
  }
  return {};
}

constexpr OpDef kOps[] = {
    {.name = "gather",
     .summary = "the slices of x along axis that indices name",
     .forms = kGatherForms,
     .eval = eval_gather,
     .traits = kMovement},
    {.name = "gather_along_axis",
     .summary = "x[…, indices[…, i, …], …]",
     .forms = kAlongForms,
     .eval = eval_along,
     .traits = kMovement},
    {.name = "gather_nd",
     .summary = "the slices of x at the positions in the last dimension of indices",
     .forms = kNdForms,
     .eval = eval_nd,
     .traits = kMovement},
};

}  // namespace

std::span<const OpDef> gather() { return kOps; }

}  // namespace anemone::ops
