// The ops of several operands of elementwise.h: binary with broadcasting, select, and those with numbers per channel.
#include <algorithm>
#include <cmath>

#include "anemone/runtime/cpu/elementwise.h"
#include "anemone/runtime/cpu/highway_targets.h"
#include "anemone/runtime/cpu/loop_nest.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "anemone/runtime/cpu/binary.cpp"
#include <hwy/foreach_target.h>  // must come before highway.h
//
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace anemone::cpu {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using D = hn::CappedTag<float, 16>;
using V = hn::Vec<D>;

template <class Tag, class Mask>
HWY_INLINE hn::Vec<Tag> OneIf(Tag d, Mask mask) {
  return hn::IfThenElseZero(mask, hn::Set(d, 1.0f));
}

// NaN differs from everything. Highway's Ne says so on some targets only.
template <class Vector>
HWY_INLINE auto Differ(Vector a, Vector b) {
  return hn::Not(hn::Eq(a, b));
}

template <Binary kOp, class Tag>
HWY_INLINE hn::Vec<Tag> Compute(Tag d, hn::Vec<Tag> a, hn::Vec<Tag> b) {
  const hn::Vec<Tag> zero = hn::Zero(d);
  if constexpr (kOp == Binary::add) return hn::Add(a, b);
  if constexpr (kOp == Binary::sub) return hn::Sub(a, b);
  if constexpr (kOp == Binary::mul) return hn::Mul(a, b);
  if constexpr (kOp == Binary::real_div) return hn::Div(a, b);
  if constexpr (kOp == Binary::maximum) return hn::IfThenElse(hn::Or(hn::Gt(a, b), hn::IsNaN(a)), a, b);
  if constexpr (kOp == Binary::minimum) return hn::IfThenElse(hn::Or(hn::Lt(a, b), hn::IsNaN(a)), a, b);
  if constexpr (kOp == Binary::greater) return OneIf(d, hn::Gt(a, b));
  if constexpr (kOp == Binary::greater_equal) return OneIf(d, hn::Ge(a, b));
  if constexpr (kOp == Binary::less) return OneIf(d, hn::Lt(a, b));
  if constexpr (kOp == Binary::less_equal) return OneIf(d, hn::Le(a, b));
  if constexpr (kOp == Binary::equal) return OneIf(d, hn::Eq(a, b));
  if constexpr (kOp == Binary::not_equal) return OneIf(d, Differ(a, b));
  if constexpr (kOp == Binary::logical_and) return OneIf(d, hn::And(Differ(a, zero), Differ(b, zero)));
  if constexpr (kOp == Binary::logical_or) return OneIf(d, hn::Or(Differ(a, zero), Differ(b, zero)));
  if constexpr (kOp == Binary::logical_xor) return OneIf(d, hn::Xor(Differ(a, zero), Differ(b, zero)));
}

// out[i] = op(a[i * a_step], b[i * b_step]); the steps are 0 or 1.
template <Binary kOp>
void Run(const float* a, std::int64_t a_step, const float* b, std::int64_t b_step, float* out, std::int64_t n) {
  const D d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t i = 0;
  if (a_step && b_step) {
    for (; i + lanes <= n; i += lanes) {
      hn::StoreU(Compute<kOp>(d, hn::LoadU(d, a + i), hn::LoadU(d, b + i)), d, out + i);
    }
  } else if (a_step) {
    const V same = hn::Set(d, *b);
    for (; i + lanes <= n; i += lanes) hn::StoreU(Compute<kOp>(d, hn::LoadU(d, a + i), same), d, out + i);
  } else {
    const V same = hn::Set(d, *a);
    for (; i + lanes <= n; i += lanes) {
      hn::StoreU(Compute<kOp>(d, same, b_step ? hn::LoadU(d, b + i) : hn::Set(d, *b)), d, out + i);
    }
  }
  const hn::CappedTag<float, 1> d1;
  for (; i < n; ++i) {
    hn::Store(Compute<kOp>(d1, hn::Set(d1, a[i * a_step]), hn::Set(d1, b[i * b_step])), d1, out + i);
  }
}

}  // namespace

// False: not one of the vectorised ops.
bool BinaryRow(Binary op, const float* a, std::int64_t sa, const float* b, std::int64_t sb, float* out,
               std::int64_t n) {
  switch (op) {
    case Binary::add:
      return Run<Binary::add>(a, sa, b, sb, out, n), true;
    case Binary::sub:
      return Run<Binary::sub>(a, sa, b, sb, out, n), true;
    case Binary::mul:
      return Run<Binary::mul>(a, sa, b, sb, out, n), true;
    case Binary::real_div:
      return Run<Binary::real_div>(a, sa, b, sb, out, n), true;
    case Binary::maximum:
      return Run<Binary::maximum>(a, sa, b, sb, out, n), true;
    case Binary::minimum:
      return Run<Binary::minimum>(a, sa, b, sb, out, n), true;
    case Binary::greater:
      return Run<Binary::greater>(a, sa, b, sb, out, n), true;
    case Binary::greater_equal:
      return Run<Binary::greater_equal>(a, sa, b, sb, out, n), true;
    case Binary::less:
      return Run<Binary::less>(a, sa, b, sb, out, n), true;
    case Binary::less_equal:
      return Run<Binary::less_equal>(a, sa, b, sb, out, n), true;
    case Binary::equal:
      return Run<Binary::equal>(a, sa, b, sb, out, n), true;
    case Binary::not_equal:
      return Run<Binary::not_equal>(a, sa, b, sb, out, n), true;
    case Binary::logical_and:
      return Run<Binary::logical_and>(a, sa, b, sb, out, n), true;
    case Binary::logical_or:
      return Run<Binary::logical_or>(a, sa, b, sb, out, n), true;
    case Binary::logical_xor:
      return Run<Binary::logical_xor>(a, sa, b, sb, out, n), true;
    default:
      return false;
  }
}

// One plane of channel_affine.
void AffinePlane(const float* in, float* out, std::int64_t n, float scale, float shift, bool relu) {
  const D d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const V a = hn::Set(d, scale), b = hn::Set(d, shift), zero = hn::Zero(d);
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const V x = hn::MulAdd(hn::LoadU(d, in + i), a, b);
    hn::StoreU(relu ? hn::IfThenZeroElse(hn::Lt(x, zero), x) : x, d, out + i);
  }
  const hn::CappedTag<float, 1> d1;
  for (; i < n; ++i) {
    const auto x = hn::MulAdd(hn::Set(d1, in[i]), hn::Set(d1, scale), hn::Set(d1, shift));
    hn::Store(relu ? hn::IfThenZeroElse(hn::Lt(x, hn::Zero(d1)), x) : x, d1, out + i);
  }
}

// One plane of prelu.
void PreluPlane(const float* in, float* out, std::int64_t n, float slope) {
  const D d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const V a = hn::Set(d, slope), zero = hn::Zero(d);
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const V x = hn::LoadU(d, in + i);
    hn::StoreU(hn::IfThenElse(hn::Lt(x, zero), hn::Mul(x, a), x), d, out + i);
  }
  for (; i < n; ++i) out[i] = in[i] < 0 ? slope * in[i] : in[i];
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace anemone::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace anemone::cpu {

HWY_EXPORT(BinaryRow);
HWY_EXPORT(AffinePlane);
HWY_EXPORT(PreluPlane);

namespace {

constexpr std::int64_t kGrain = 8 * 1024;  // elements: some microseconds of work

// In double, as the meaning of the ops is defined, then rounded once.
float scalar(Binary op, double x, double y) {
  if (op == Binary::pow) return static_cast<float>(std::pow(x, y));
  const double quotient = std::floor(x / y);
  return static_cast<float>(op == Binary::mod ? x - y * quotient : quotient);
}

// fn(plane, channel, offset of the plane, elements) for all planes; large ones in parts.
template <class Fn>
void for_planes(std::int64_t batch, std::int64_t channels, std::int64_t spatial, runtime::ThreadPool& pool, Fn fn) {
  const std::int64_t planes = batch * channels;
  if (planes <= 0 || spatial <= 0) return;
  const std::int64_t per_task = std::max<std::int64_t>(1, kGrain / spatial);
  pool.parallel_ranges(planes, per_task, [&](std::int64_t begin, std::int64_t end, int) {
    for (std::int64_t plane = begin; plane < end; ++plane) fn(plane % channels, plane * spatial);
  });
}

}  // namespace

void binary(Binary op, const float* a, ShapeView a_shape, const float* b, ShapeView b_shape, float* out,
            runtime::ThreadPool& pool) {
  const std::vector<std::int64_t> shape = broadcast_shape(a_shape, b_shape);
  const LoopNest<3> nest(shape, {broadcast_in(a_shape, shape), broadcast_in(b_shape, shape), row_major(shape)});
  const std::int64_t sa = nest.strides[0].back(), sb = nest.strides[1].back();
  for_rows(nest, kGrain, pool, [&](const RowWalk<3>& walk, std::int64_t first, std::int64_t n) {
    const float* x = a + walk.offset(0) + first * sa;
    const float* y = b + walk.offset(1) + first * sb;
    float* to = out + walk.offset(2) + first;
    if (HWY_DYNAMIC_DISPATCH(BinaryRow)(op, x, sa, y, sb, to, n)) return;
    for (std::int64_t i = 0; i < n; ++i) to[i] = scalar(op, x[i * sa], y[i * sb]);
  });
}

void select(const float* condition, ShapeView condition_shape, const float* a, ShapeView a_shape, const float* b,
            ShapeView b_shape, float* out, ShapeView shape, runtime::ThreadPool& pool) {
  const LoopNest<4> nest(shape, {broadcast_in(condition_shape, shape), broadcast_in(a_shape, shape),
                                 broadcast_in(b_shape, shape), row_major(shape)});
  const std::int64_t sc = nest.strides[0].back(), sa = nest.strides[1].back(), sb = nest.strides[2].back();
  for_rows(nest, kGrain, pool, [&](const RowWalk<4>& walk, std::int64_t first, std::int64_t n) {
    const float* c = condition + walk.offset(0) + first * sc;
    const float* x = a + walk.offset(1) + first * sa;
    const float* y = b + walk.offset(2) + first * sb;
    float* to = out + walk.offset(3) + first;
    for (std::int64_t i = 0; i < n; ++i) to[i] = c[i * sc] != 0 ? x[i * sa] : y[i * sb];
  });
}

void channel_affine(const float* in, float* out, std::int64_t batch, std::int64_t channels, std::int64_t spatial,
                    const float* scale, const float* shift, bool relu, runtime::ThreadPool& pool) {
  for_planes(batch, channels, spatial, pool, [&](std::int64_t channel, std::int64_t at) {
    HWY_DYNAMIC_DISPATCH(AffinePlane)(in + at, out + at, spatial, scale[channel], shift[channel], relu);
  });
}

void prelu(const float* in, float* out, std::int64_t batch, std::int64_t channels, std::int64_t spatial,
           const float* slope, runtime::ThreadPool& pool) {
  for_planes(batch, channels, spatial, pool, [&](std::int64_t channel, std::int64_t at) {
    HWY_DYNAMIC_DISPATCH(PreluPlane)(in + at, out + at, spatial, slope[channel]);
  });
}

}  // namespace anemone::cpu
#endif
