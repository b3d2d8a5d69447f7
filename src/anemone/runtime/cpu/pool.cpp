// Pooling in two steps a row: the rows of the window joined, then its columns.
#include "anemone/runtime/cpu/pool.h"

#include <algorithm>
#include <limits>

#include "anemone/runtime/cpu/highway_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "anemone/runtime/cpu/pool.cpp"
#include <hwy/foreach_target.h>  // must come before highway.h
//
#include <hwy/highway.h>

#include "anemone/runtime/cpu/copy_row-inl.h"

HWY_BEFORE_NAMESPACE();
namespace anemone::cpu {
namespace HWY_NAMESPACE {
namespace {

using D = hn::CappedTag<float, 16>;
using V = hn::Vec<D>;

struct Max {
  static constexpr float kStart = -std::numeric_limits<float>::infinity();
  template <class Vector>
  static HWY_INLINE Vector Join(Vector a, Vector b) {
    return hn::IfThenElse(hn::Or(hn::Gt(a, b), hn::IsNaN(a)), a, b);
  }
};
struct Sum {
  static constexpr float kStart = 0;
  template <class Vector>
  static HWY_INLINE Vector Join(Vector a, Vector b) {
    return hn::Add(a, b);
  }
};

struct PoolPlan {
  RowPhases phases;
  std::int64_t width;    // of an input row, whole vectors
  std::int64_t sums;     // of an output row, whole vectors
  std::int64_t scratch;  // floats of a task
  bool average, exclude_padding;
};

// How many places of a window count for an average. All of them, wherever they lie, unless padding is excluded.
std::int64_t Covered(std::int64_t begin, std::int64_t kernel, std::int64_t in, bool inputs_only) {
  if (!inputs_only) return kernel;
  return std::max<std::int64_t>(0, std::min(begin + kernel, in) - std::max<std::int64_t>(0, begin));
}

template <class Op>
void Plane(const PoolParams& p, const PoolShape& s, const PoolPlan& plan, const float* in, float* out, float* scratch) {
  const D d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  float* column = scratch;           // the rows of a window joined
  float* row = column + plan.width;  // that, padded and sorted
  float* sums = row + plan.phases.size();
  float* widths = sums + plan.sums;  // places a window covers sideways
  if (plan.average) {
    for (std::int64_t x = 0; x < plan.sums; ++x) {
      const std::int64_t places =
          Covered(x * p.stride_width - p.pad_left, p.kernel_width, s.in_width, plan.exclude_padding);
      widths[x] = static_cast<float>(std::max<std::int64_t>(1, places));
    }
  }
  for (std::int64_t y = 0; y < s.out_height; ++y, out += s.out_width) {
    const std::int64_t top = y * p.stride_height - p.pad_top;
    const std::int64_t first = std::max<std::int64_t>(0, top), last = std::min(s.in_height, top + p.kernel_height);
    const float* from = in + first * s.in_width;
    if (first >= last) {
      std::fill_n(column, plan.width, Op::kStart);
      from = column;
    } else if (last - first > 1) {
      std::int64_t x = 0;
      for (; x + lanes <= s.in_width; x += lanes) {
        V v = hn::LoadU(d, from + x);
        for (std::int64_t r = 1; r < last - first; ++r) v = Op::Join(v, hn::LoadU(d, from + r * s.in_width + x));
        hn::StoreU(v, d, column + x);
      }
      const hn::CappedTag<float, 1> d1;
      for (; x < s.in_width; ++x) {
        auto v = hn::Set(d1, from[x]);
        for (std::int64_t r = 1; r < last - first; ++r) v = Op::Join(v, hn::Set(d1, from[r * s.in_width + x]));
        hn::Store(v, d1, column + x);
      }
      from = column;
    }
    SplitRow(plan.phases, from, s.in_width, row, {});
    const auto rows =
        static_cast<float>(std::max<std::int64_t>(1, Covered(top, p.kernel_height, s.in_height, plan.exclude_padding)));
    for (std::int64_t x = 0; x < s.out_width; x += lanes) {
      V v = hn::LoadU(d, row + x);
      for (std::int64_t k = 1; k < p.kernel_width; ++k) v = Op::Join(v, hn::LoadU(d, row + plan.phases.offset(k) + x));
      if (plan.average) v = hn::Div(v, hn::Mul(hn::Set(d, rows), hn::LoadU(d, widths + x)));
      if (x + lanes <= s.out_width) {
        hn::StoreU(v, d, out + x);
      } else {
        hn::StoreU(v, d, sums);
        std::copy_n(sums, s.out_width - x, out + x);
      }
    }
  }
}

PoolPlan PlanOf(const PoolParams& p, const PoolShape& s) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(D()));
  PoolPlan plan{};
  plan.width = (s.in_width + lanes - 1) / lanes * lanes;
  plan.sums = (s.out_width + lanes - 1) / lanes * lanes;
  plan.phases.stride = p.stride_width;
  plan.phases.pad_left = p.pad_left;
  plan.phases.length = plan.sums + (p.kernel_width - 1) / p.stride_width;
  plan.scratch = plan.width + plan.phases.size() + 2 * plan.sums;
  return plan;
}

template <class Op>
void RunPool(const PoolParams& params, const PoolShape& shape, const PoolPlan& plan, const float* in, float* out,
             runtime::ThreadPool& pool) {
  pool.reserve_scratch(static_cast<std::size_t>(plan.scratch));
  const std::int64_t in_size = shape.in_height * shape.in_width, out_size = shape.out_height * shape.out_width;
  const std::int64_t per_task = std::max<std::int64_t>(1, 8192 / std::max<std::int64_t>(1, in_size));
  pool.parallel_ranges(shape.planes, per_task, [&](std::int64_t begin, std::int64_t end, int worker) {
    for (std::int64_t plane = begin; plane < end; ++plane) {
      Plane<Op>(params, shape, plan, in + plane * in_size, out + plane * out_size, pool.scratch(worker));
    }
  });
}

}  // namespace

void MaxPool(const PoolParams& params, const PoolShape& shape, const float* in, float* out, runtime::ThreadPool& pool) {
  PoolPlan plan = PlanOf(params, shape);
  plan.phases.fill = Max::kStart;
  RunPool<Max>(params, shape, plan, in, out, pool);
}

void AvgPool(const PoolParams& params, const PoolShape& shape, bool exclude_padding, const float* in, float* out,
             runtime::ThreadPool& pool) {
  PoolPlan plan = PlanOf(params, shape);
  plan.average = true;
  plan.exclude_padding = exclude_padding;
  RunPool<Sum>(params, shape, plan, in, out, pool);
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace anemone::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace anemone::cpu {

HWY_EXPORT(MaxPool);
HWY_EXPORT(AvgPool);

void max_pool(const PoolParams& params, const PoolShape& shape, const float* in, float* out,
              runtime::ThreadPool& pool) {
  HWY_DYNAMIC_DISPATCH(MaxPool)(params, shape, in, out, pool);
}

void avg_pool(const PoolParams& params, const PoolShape& shape, bool exclude_padding, const float* in, float* out,
              runtime::ThreadPool& pool) {
  HWY_DYNAMIC_DISPATCH(AvgPool)(params, shape, exclude_padding, in, out, pool);
}

}  // namespace anemone::cpu
#endif
