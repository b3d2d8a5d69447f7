// Reductions in plain loops over double; memory limits them.
#include "anemone/runtime/cpu/reduce.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "anemone/runtime/cpu/loop_nest.h"
#include "anemone/support/half.h"

namespace anemone::cpu {
namespace {

// Every reduction in double: start, one more element, two partial results joined, the result of `count` elements.
struct Sum {
  static constexpr bool kInOrder = false;
  static constexpr double kStart = 0;
  static double step(double sum, double x) { return sum + x; }
  static double join(double a, double b) { return a + b; }
};
struct Magnitudes : Sum {
  static double step(double sum, double x) { return sum + std::fabs(x); }
};
struct Squares : Sum {
  static double step(double sum, double x) { return sum + x * x; }
};
// The sum as hardware with an fp16 accumulator may keep it.
template <class Op>
struct InHalf : Op {
  static constexpr bool kInOrder = true;
  static double step(double sum, double x) { return anemone::round_to_half(static_cast<float>(Op::step(sum, x))); }
};
struct Product {
  static constexpr bool kInOrder = false;
  static constexpr double kStart = 1;
  static double step(double product, double x) { return product * x; }
  static double join(double a, double b) { return a * b; }
};
struct Max {
  static constexpr bool kInOrder = false;
  static constexpr double kStart = -std::numeric_limits<double>::infinity();
  static double step(double top, double x) { return x > top || x != x ? x : top; }
  static double join(double a, double b) { return step(a, b); }
};
struct Min {
  static constexpr bool kInOrder = false;
  static constexpr double kStart = std::numeric_limits<double>::infinity();
  static double step(double low, double x) { return x < low || x != x ? x : low; }
  static double join(double a, double b) { return step(a, b); }
};

/// The kept and the reduced dimensions of a tensor, neighbours of one kind merged.
struct Plan {
  std::vector<std::int64_t> kept, reduced;
  Strides kept_strides, reduced_strides;
  bool reduced_last = false;  // the innermost dimension is a reduced one

  Plan(ShapeView shape, std::span<const std::int64_t> axes) {
    const Strides strides = row_major(shape);
    bool last = false, first = true;
    for (std::size_t k = 0; k < shape.size(); ++k) {
      const bool reduce =
          axes.empty() || std::find(axes.begin(), axes.end(), static_cast<std::int64_t>(k)) != axes.end();
      if (shape[k] == 1) continue;
      auto& extents = reduce ? reduced : kept;
      auto& own = reduce ? reduced_strides : kept_strides;
      if (!first && last == reduce) {
        extents.back() *= shape[k];
        own.back() = strides[k];
      } else {
        extents.push_back(shape[k]);
        own.push_back(strides[k]);
      }
      last = reduce;
      first = false;
    }
    reduced_last = last;
    if (kept.empty()) kept = {1}, kept_strides = {0};
    if (reduced.empty()) reduced = {1}, reduced_strides = {0};
  }
};

// The offsets of all index tuples but the innermost dimension.
std::vector<std::int64_t> outer_offsets(const std::vector<std::int64_t>& extents, const Strides& strides,
                                        bool with_inner) {
  std::vector<std::int64_t> offsets = {0};
  for (std::size_t k = 0; k + (with_inner ? 0 : 1) < extents.size(); ++k) {
    std::vector<std::int64_t> more;
    more.reserve(offsets.size() * static_cast<std::size_t>(extents[k]));
    for (const std::int64_t offset : offsets) {
      for (std::int64_t i = 0; i < extents[k]; ++i) more.push_back(offset + i * strides[k]);
    }
    offsets = std::move(more);
  }
  return offsets;
}

// `total` and a row of n more elements.
template <class Op>
double reduce_row(const float* x, std::int64_t n, double total) {
  if constexpr (Op::kInOrder) {
    for (std::int64_t i = 0; i < n; ++i) total = Op::step(total, static_cast<double>(x[i]));
    return total;
  }
  constexpr std::int64_t kChains = 8;  // independent, so the additions overlap
  double part[kChains];
  for (double& p : part) p = Op::kStart;
  std::int64_t i = 0;
  for (; i + kChains <= n; i += kChains) {
    for (std::int64_t c = 0; c < kChains; ++c) part[c] = Op::step(part[c], static_cast<double>(x[i + c]));
  }
  double row = Op::kStart;
  for (; i < n; ++i) row = Op::step(row, static_cast<double>(x[i]));
  for (const double p : part) row = Op::join(row, p);
  return Op::join(total, row);
}

template <class Op, class Finish>
void run(const float* in, const Plan& plan, float* out, runtime::ThreadPool& pool, Finish finish) {
  const std::int64_t reduced = elements_in(plan.reduced), kept = elements_in(plan.kept);
  if (kept <= 0) return;
  const std::vector<std::int64_t> walk = outer_offsets(plan.reduced, plan.reduced_strides, !plan.reduced_last);
  if (plan.reduced_last) {
    const std::vector<std::int64_t> rows = outer_offsets(plan.kept, plan.kept_strides, true);
    const std::int64_t inner = plan.reduced.back();
    const std::int64_t per_task = std::max<std::int64_t>(1, 8192 / std::max<std::int64_t>(1, reduced));
    pool.parallel_ranges(kept, per_task, [&](std::int64_t begin, std::int64_t end, int) {
      for (std::int64_t k = begin; k < end; ++k) {
        double total = Op::kStart;
        for (const std::int64_t offset : walk) {
          total = reduce_row<Op>(in + rows[static_cast<std::size_t>(k)] + offset, inner, total);
        }
        out[k] = static_cast<float>(finish(total, reduced));
      }
    });
    return;
  }
  constexpr std::int64_t kColumns = 256;
  const std::vector<std::int64_t> blocks = outer_offsets(plan.kept, plan.kept_strides, false);
  const std::int64_t inner = plan.kept.back(), stride = plan.kept_strides.back();
  const std::int64_t parts = (inner + kColumns - 1) / kColumns;
  pool.parallel_for(static_cast<std::int64_t>(blocks.size()) * parts, [&](std::int64_t task, int) {
    const std::int64_t block = task / parts, first = task % parts * kColumns, n = std::min(kColumns, inner - first);
    double total[kColumns];
    for (std::int64_t j = 0; j < n; ++j) total[j] = Op::kStart;
    for (const std::int64_t offset : walk) {
      const float* x = in + blocks[static_cast<std::size_t>(block)] + offset + first * stride;
      for (std::int64_t j = 0; j < n; ++j) total[j] = Op::step(total[j], static_cast<double>(x[j]));
    }
    for (std::int64_t j = 0; j < n; ++j) out[block * inner + first + j] = static_cast<float>(finish(total[j], reduced));
  });
}

// log(sum(exp x)) without overflow: around the largest element of each sum.
template <class Add>
void log_sum_exp(const float* in, ShapeView shape, std::span<const std::int64_t> axes, const Plan& plan, float* out,
                 runtime::ThreadPool& pool) {
  const auto same = [](double x, std::int64_t) { return x; };
  run<Max>(in, plan, out, pool, same);
  std::vector<std::int64_t> out_shape(shape.begin(), shape.end());
  for (std::size_t k = 0; k < out_shape.size(); ++k) {
    if (axes.empty() || std::find(axes.begin(), axes.end(), static_cast<std::int64_t>(k)) != axes.end())
      out_shape[k] = 1;
  }
  const std::int64_t n = elements_in(shape), kept = elements_in(out_shape);
  runtime::FloatBuffer shifted(static_cast<std::size_t>(n)), sums(static_cast<std::size_t>(kept));
  // A sum whose largest term is infinite keeps it: exp(inf - inf) must not come into being.
  runtime::FloatBuffer top(static_cast<std::size_t>(kept));
  for (std::int64_t i = 0; i < kept; ++i) top[static_cast<std::size_t>(i)] = std::isinf(out[i]) ? 0.0f : out[i];
  binary(Binary::sub, in, shape, top.data(), out_shape, shifted.data(), pool);
  unary(Unary::exp, shifted.data(), shifted.data(), n, pool);
  run<Add>(shifted.data(), plan, sums.data(), pool, [](double sum, std::int64_t) { return std::log(sum); });
  for (std::int64_t i = 0; i < kept; ++i) out[i] = sums[static_cast<std::size_t>(i)] + top[static_cast<std::size_t>(i)];
}

template <class Op>
using Wide = Op;

// What is a sum takes `Halved` of its Op.
template <template <class> class Halved>
void reduce_with(Reduction op, const float* in, ShapeView shape, std::span<const std::int64_t> axes, float* out,
                 runtime::ThreadPool& pool) {
  const Plan plan(shape, axes);
  const auto same = [](double x, std::int64_t) { return x; };
  switch (op) {
    case Reduction::sum:
      return run<Halved<Sum>>(in, plan, out, pool, same);
    case Reduction::mean:
      return run<Halved<Sum>>(in, plan, out, pool, [](double x, std::int64_t n) { return x / static_cast<double>(n); });
    case Reduction::max:
      return run<Max>(in, plan, out, pool, same);
    case Reduction::min:
      return run<Min>(in, plan, out, pool, same);
    case Reduction::prod:
      return run<Product>(in, plan, out, pool, same);
    case Reduction::l1_norm:
      return run<Halved<Magnitudes>>(in, plan, out, pool, same);
    case Reduction::l2_norm:
      return run<Halved<Squares>>(in, plan, out, pool, [](double x, std::int64_t) { return std::sqrt(x); });
    case Reduction::sum_square:
      return run<Halved<Squares>>(in, plan, out, pool, same);
    case Reduction::log_sum:
      return run<Halved<Sum>>(in, plan, out, pool, [](double x, std::int64_t) { return std::log(x); });
    case Reduction::log_sum_exp:
      return log_sum_exp<Halved<Sum>>(in, shape, axes, plan, out, pool);
  }
}

}  // namespace

void reduce(Reduction op, const float* in, ShapeView shape, std::span<const std::int64_t> axes, float* out,
            runtime::ThreadPool& pool, bool half_sums) {
  return half_sums ? reduce_with<InHalf>(op, in, shape, axes, out, pool)
                   : reduce_with<Wide>(op, in, shape, axes, out, pool);
}

}  // namespace anemone::cpu
