// The register tile kernels, every number of rows compiled for every instruction set.
#include "anemone/runtime/cpu/gemm_tile.h"

#include "anemone/runtime/cpu/highway_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "anemone/runtime/cpu/gemm_tile.cpp"
#include <hwy/foreach_target.h>  // must come before highway.h
//
#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include <algorithm>

#include "anemone/runtime/cpu/epilogue-inl.h"

HWY_BEFORE_NAMESPACE();
namespace anemone::cpu {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using D = hn::CappedTag<float, 16>;
using V = hn::Vec<D>;

constexpr std::int64_t kBlock = 128;  // terms of a sum that are added as one chain

// A tile's sums, in memory with `pitch` floats a row, become its outputs. Not inlined: loops over L1 cost nothing
// beside the products, and 16 unrolled copies of the epilogue would.
HWY_NOINLINE void Finish(const GemmTile& t, float* sums, std::int64_t rows, std::int64_t pitch) {
  for (std::int64_t r = 0; r < rows; ++r) {
    FinishRow(D(), sums + r * pitch, t.add ? t.add + r * t.out_stride : nullptr, t.out + r * t.out_stride, t.columns,
              *t.epilogue);
  }
}

// The bias comes last: a large one that the products mostly cancel would make every one of them round at its magnitude.
template <int kRows, int kVectors>
HWY_INLINE void AddBias(const GemmTile& t, V (&sum)[kRows][kVectors]) {
  const D d;
  constexpr std::size_t kLanes = hn::MaxLanes(D());
  if (t.row_bias) {
    for (int r = 0; r < kRows; ++r) {
      for (int v = 0; v < kVectors; ++v) sum[r][v] = hn::Add(sum[r][v], hn::Set(d, t.row_bias[r]));
    }
  } else if (t.column_bias) {
    HWY_ALIGN float bias[2 * hn::MaxLanes(D())];
    for (std::int64_t j = 0; j < static_cast<std::int64_t>(kVectors * kLanes); ++j) {
      bias[j] = j < t.columns ? t.column_bias[j] : 0.0f;
    }
    for (int r = 0; r < kRows; ++r) {
      for (int v = 0; v < kVectors; ++v) {
        sum[r][v] = hn::Add(sum[r][v], hn::Load(d, bias + static_cast<std::size_t>(v) * kLanes));
      }
    }
  }
}

// What FinishRow does to whole vectors that are not rounded, in registers.
template <int kRows, int kVectors>
HWY_INLINE void AddAndActivate(const GemmTile& t, V (&sum)[kRows][kVectors]) {
  const D d;
  constexpr std::size_t kLanes = hn::MaxLanes(D());
  const Epilogue& e = *t.epilogue;
  const auto each = [&sum](auto function) HWY_ATTR {
    for (int r = 0; r < kRows; ++r) {
      for (int v = 0; v < kVectors; ++v) sum[r][v] = function(sum[r][v], r, v);
    }
  };
  if (t.add) {
    each([&t, d](V x, int r, int v) HWY_ATTR {
      return hn::Add(x, hn::LoadU(d, t.add + r * t.out_stride + static_cast<std::size_t>(v) * kLanes));
    });
  }
  switch (e.activation) {
    case Activation::none:
      break;
    case Activation::relu:
      each([d](V x, int, int) HWY_ATTR { return hn::IfThenZeroElse(hn::Lt(x, hn::Zero(d)), x); });
      break;
    case Activation::leaky_relu:
    case Activation::clip:
      each([d, &e](V x, int, int) HWY_ATTR { return Activate(d, x, e); });
      break;
  }
}

template <int kRows, int kVectors>
HWY_INLINE void Multiply(const GemmTile& t) {
  const D d;
  constexpr std::size_t kLanes = hn::MaxLanes(D());
  // The output is rarely in cache: fetch it while we multiply.
  for (int r = 0; r < kRows; ++r) {
    const float* line = (t.add ? t.add : t.out) + r * t.out_stride;
    hwy::Prefetch(line);
    if (kVectors * kLanes > 16) hwy::Prefetch(line + 16);
  }
  V sum[kRows][kVectors];
  for (int r = 0; r < kRows; ++r) {
    for (int v = 0; v < kVectors; ++v) sum[r][v] = hn::Zero(d);
  }
  const float* HWY_RESTRICT a = t.a;
  const float* HWY_RESTRICT b = t.b;
  // Long sums go in blocks: the error of a float32 chain grows with its length, and landmarks far from the origin show
  // it.
  HWY_ALIGN float total[kRows * kVectors * hn::MaxLanes(D())];
  const auto at = [&total](int r, int v) { return total + static_cast<std::size_t>(r * kVectors + v) * kLanes; };
  bool blocks = false;
  for (std::int64_t begin = 0; begin < t.depth; begin += kBlock) {
    if (begin > 0) {
      for (int r = 0; r < kRows; ++r) {
        for (int v = 0; v < kVectors; ++v) {
          hn::Store(blocks ? hn::Add(hn::Load(d, at(r, v)), sum[r][v]) : sum[r][v], d, at(r, v));
          sum[r][v] = hn::Zero(d);
        }
      }
      blocks = true;
    }
    for (std::int64_t p = std::min(kBlock, t.depth - begin); p > 0; --p, a += kRows, b += t.b_stride) {
      V column[kVectors];
      for (int v = 0; v < kVectors; ++v) column[v] = hn::LoadU(d, b + static_cast<std::size_t>(v) * kLanes);
      for (int r = 0; r < kRows; ++r) {
        const V row = hn::Set(d, a[r]);
        for (int v = 0; v < kVectors; ++v) sum[r][v] = hn::MulAdd(row, column[v], sum[r][v]);
      }
    }
  }
  for (int r = 0; blocks && r < kRows; ++r) {
    for (int v = 0; v < kVectors; ++v) sum[r][v] = hn::Add(hn::Load(d, at(r, v)), sum[r][v]);
  }
  AddBias<kRows, kVectors>(t, sum);
  const Epilogue& e = *t.epilogue;
  if (!e.round_half && t.columns == static_cast<std::int64_t>(kVectors * kLanes)) {
    AddAndActivate<kRows, kVectors>(t, sum);
    for (int r = 0; r < kRows; ++r) {
      for (int v = 0; v < kVectors; ++v) {
        hn::StoreU(sum[r][v], d, t.out + r * t.out_stride + static_cast<std::size_t>(v) * kLanes);
      }
    }
    return;
  }
  HWY_ALIGN float sums[kRows * kVectors * hn::MaxLanes(D())];
  for (int r = 0; r < kRows; ++r) {
    for (int v = 0; v < kVectors; ++v) {
      hn::Store(sum[r][v], d, sums + static_cast<std::size_t>(r * kVectors + v) * kLanes);
    }
  }
  Finish(t, sums, kRows, static_cast<std::int64_t>(kVectors * kLanes));
}

template <int kRows>
void Run(const GemmTile& t) {
  if (t.columns > static_cast<std::int64_t>(hn::MaxLanes(D()))) {
    Multiply<kRows, 2>(t);
  } else {
    Multiply<kRows, 1>(t);
  }
}

}  // namespace

const GemmKernels& Kernels() {
#if HWY_ARCH_X86 && HWY_TARGET > HWY_AVX3
  constexpr std::int64_t kPanelRows = 6;  // 16 vector registers: 12 sums, 2 columns, 1 row
#else
  constexpr std::int64_t kPanelRows = 8;
#endif
  static constexpr GemmKernels kKernels = {static_cast<std::int64_t>(hn::MaxLanes(D())),
                                           kPanelRows,
                                           {nullptr, Run<1>, Run<2>, Run<3>, Run<4>, Run<5>, Run<6>, Run<7>, Run<8>}};
  return kKernels;
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace anemone::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace anemone::cpu {

HWY_EXPORT(Kernels);
const GemmKernels& gemm_kernels() { return HWY_DYNAMIC_DISPATCH(Kernels)(); }

}  // namespace anemone::cpu
#endif
