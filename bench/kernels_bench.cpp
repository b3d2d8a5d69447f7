// How fast the CPU kernels are, shape by shape: kernels_bench [--isa=AVX2] [--threads=N] [--benchmark_filter=REGEX ...]
// The counter GF/s counts two operations a multiply-add; GB/s counts what a kernel must read and write.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "anemone/runtime/cpu/conv.h"
#include "anemone/runtime/cpu/elementwise.h"
#include "anemone/runtime/cpu/gemm.h"
#include "anemone/runtime/cpu/half_round.h"
#include "anemone/runtime/cpu/move.h"
#include "anemone/runtime/cpu/norm.h"
#include "anemone/runtime/cpu/pool.h"
#include "anemone/runtime/cpu/reduce.h"
#include "anemone/runtime/cpu/resize.h"
#include "anemone/runtime/cpu/targets.h"
#include "bench/cases/conv_cases.h"

namespace {

using namespace anemone::cpu;
using anemone::runtime::FloatBuffer;
using anemone::runtime::ThreadPool;

std::vector<float> numbers(std::int64_t n) {
  std::vector<float> values(static_cast<std::size_t>(n));
  std::uint32_t state = 1;
  for (float& value : values) {
    state = state * 1664525u + 1013904223u;
    value = static_cast<float>(state >> 8) / 8388608.0f - 1.0f;
  }
  return values;
}

void count_flops(benchmark::State& state, double flops) {
  state.counters["GF/s"] = benchmark::Counter(flops * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
}
void count_bytes(benchmark::State& state, std::int64_t floats) {
  state.counters["GB/s"] =
      benchmark::Counter(4e-9 * static_cast<double>(floats), benchmark::Counter::kIsIterationInvariantRate);
}

struct PreparedConv {
  ConvCase shape;
  PackedConv packed;
  std::vector<float> in, out;

  explicit PreparedConv(const ConvCase& c) : shape(c) {
    const ConvParams& p = c.params;
    const auto weights = numbers(p.out_channels * (p.in_channels / p.groups) * p.kernel_height * p.kernel_width);
    packed = pack_conv(p, weights.data(), nullptr, fastest_algorithm(p, p.out_height(c.height), p.out_width(c.width)));
    in = numbers(c.batch * p.in_channels * c.height * c.width);
    out.resize(static_cast<std::size_t>(c.batch * p.out_channels * p.out_height(c.height) * p.out_width(c.width)));
  }
  void run(ThreadPool& pool) { conv2d(packed, in.data(), shape.batch, shape.height, shape.width, out.data(), pool); }
  double flops() const { return 2.0 * static_cast<double>(shape.batch * shape.params.macs(shape.height, shape.width)); }
};

void bench_conv(benchmark::State& state, const ConvCase& c, ThreadPool& pool) {
  PreparedConv conv(c);
  for (auto _ : state) conv.run(pool);
  count_flops(state, conv.flops());
}

// All of STAR's convolutions one after the other, each with weights of its own: they come from memory, as in the
// network.
void bench_star(benchmark::State& state, ThreadPool& pool) {
  std::vector<PreparedConv> convs;
  std::vector<std::vector<PackedConv>> copies;
  double flops = 0;
  for (const ConvCase& c : star_conv_cases()) {
    convs.emplace_back(c);
    flops += convs.back().flops() * c.count;
    copies.emplace_back();
    for (int i = 0; i < c.count; ++i) {
      const ConvParams& p = c.params;
      copies.back().push_back(
          pack_conv(p, numbers(p.out_channels * p.in_channels * p.kernel_height * p.kernel_width).data(), nullptr));
    }
  }
  for (auto _ : state) {
    for (std::size_t i = 0; i < convs.size(); ++i) {
      PreparedConv& c = convs[i];
      for (const PackedConv& packed : copies[i]) {
        conv2d(packed, c.in.data(), 1, c.shape.height, c.shape.width, c.out.data(), pool);
      }
    }
  }
  count_flops(state, flops);
}

void bench_matmul(benchmark::State& state, MatmulShape s, bool constant, ThreadPool& pool) {
  const auto a = numbers(s.m * s.k), b = numbers(s.k * s.n);
  std::vector<float> out(static_cast<std::size_t>(s.m * s.n));
  const PackedMatrix packed = pack_matrix(b.data(), s.k, s.n, true);
  for (auto _ : state) {
    if (constant) {
      linear(a.data(), s.m, packed, nullptr, out.data(), pool);
    } else {
      matmul(s, a.data(), b.data(), out.data(), pool);
    }
  }
  count_flops(state, 2.0 * static_cast<double>(s.m * s.k * s.n));
}

// Wall time decides the rates; the CPU column adds up all threads and tells how busy the machine was besides.
template <class Fn>
benchmark::internal::Benchmark* add(const std::string& name, Fn fn) {
  return benchmark::RegisterBenchmark(name.c_str(), fn)->MeasureProcessCPUTime()->UseRealTime();
}

void register_convs(const std::vector<ConvCase>& cases, const std::string& group, ThreadPool& pool) {
  for (const ConvCase& c : cases) {
    add(group + "/" + c.name, [c, &pool](benchmark::State& state) { bench_conv(state, c, pool); });
  }
}

// Kernels that memory limits, on one map of STAR: 128 channels of 64x64, 2 MB.
void register_maps(ThreadPool& pool) {
  constexpr std::int64_t kChannels = 128, kSize = 64, kPlane = kSize * kSize, kCount = kChannels * kPlane;
  struct Map {
    std::vector<float> in = numbers(kCount), other = numbers(kCount), channel = numbers(kChannels),
                       out = numbers(4 * kCount);
  };
  const auto map = std::make_shared<Map>();
  const auto add_map = [&](const std::string& name, std::int64_t floats, auto fn) {
    add("map/" + name, [=](benchmark::State& state) {
      for (auto _ : state) fn(*map);
      count_bytes(state, floats);
    });
  };
  for (const auto& [name, op] : {std::pair{"relu", Unary::relu}, std::pair{"sigmoid", Unary::sigmoid},
                                 std::pair{"tanh", Unary::tanh}, std::pair{"gelu", Unary::gelu}}) {
    add_map(name, 2 * kCount, [&pool, op = op](Map& m) { unary(op, m.in.data(), m.out.data(), kCount, pool); });
  }
  add_map("add", 3 * kCount, [&pool](Map& m) {
    const std::int64_t shape[] = {1, kChannels, kSize, kSize};
    binary(Binary::add, m.in.data(), shape, m.other.data(), shape, m.out.data(), pool);
  });
  add_map("mul per channel", 2 * kCount, [&pool](Map& m) {
    const std::int64_t shape[] = {1, kChannels, kSize, kSize}, channels[] = {kChannels, 1, 1};
    binary(Binary::mul, m.in.data(), shape, m.channel.data(), channels, m.out.data(), pool);
  });
  add_map("channel_affine", 2 * kCount, [&pool](Map& m) {
    channel_affine(m.in.data(), m.out.data(), 1, kChannels, kPlane, m.channel.data(), m.channel.data(), true, pool);
  });
  add_map("instance_norm", 2 * kCount, [&pool](Map& m) {
    instance_norm(m.in.data(), m.out.data(), 1, kChannels, kPlane, nullptr, nullptr, 1e-5f, true, pool);
  });
  add_map("softmax over channels", 2 * kCount,
          [&pool](Map& m) { softmax(m.in.data(), m.out.data(), 1, kChannels, kPlane, pool); });
  add_map("softmax over pixels", 2 * kCount,
          [&pool](Map& m) { softmax(m.in.data(), m.out.data(), kChannels, kPlane, 1, pool); });
  add_map("reduce_sum over pixels", kCount, [&pool](Map& m) {
    const std::int64_t shape[] = {1, kChannels, kSize, kSize}, axes[] = {2, 3};
    reduce(Reduction::sum, m.in.data(), shape, axes, m.out.data(), pool);
  });
  add_map("max_pool 2x2", kCount * 5 / 4, [&pool](Map& m) {
    max_pool({2, 2, 2, 2}, {kChannels, kSize, kSize, kSize / 2, kSize / 2}, m.in.data(), m.out.data(), pool);
  });
  add_map("upsample nearest 2x", 5 * kCount, [&pool](Map& m) {
    resize_nearest({kChannels, kSize, kSize, 2 * kSize, 2 * kSize}, m.in.data(), m.out.data(), pool);
  });
  add_map("resize bilinear 2x", 5 * kCount, [&pool](Map& m) {
    resize_bilinear({kChannels, kSize, kSize, 2 * kSize, 2 * kSize}, Sampling::unalign_corners, m.in.data(),
                    m.out.data(), pool);
  });
  add_map("transpose NCHW to NHWC", 2 * kCount, [&pool](Map& m) {
    const std::int64_t shape[] = {kSize * kSize, kChannels}, from[] = {1, kSize * kSize}, to[] = {kChannels, 1};
    strided_copy(m.in.data(), from, m.out.data(), to, shape, pool);
  });
  add_map("round_to_half", 2 * kCount, [&pool](Map& m) { round_to_half(m.in.data(), m.out.data(), kCount, pool); });
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  int threads = 1;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument.starts_with("--threads=")) {
      threads = std::atoi(argv[i] + 10);
    } else if (argument.starts_with("--isa=")) {
      const auto targets = available_targets();
      const auto wanted = std::find_if(targets.begin(), targets.end(),
                                       [&](const CpuTarget& target) { return target.name == argument.substr(6); });
      if (wanted == targets.end()) return 2;
      use_target(wanted->id);
    } else {
      return 2;
    }
  }
  ThreadPool pool(threads);
  benchmark::AddCustomContext("isa", chosen_target().name);
  benchmark::AddCustomContext("threads", std::to_string(pool.threads()));
  add("star/all 213 convolutions", [&pool](benchmark::State& state) {
    bench_star(state, pool);
  })->Unit(benchmark::kMillisecond);
  register_convs(star_conv_cases(), "star", pool);
  register_convs(mobile_conv_cases(), "mobile", pool);
  for (const auto& [m, k, n] :
       {std::array<std::int64_t, 3>{1, 1024, 1000}, {64, 512, 512}, {197, 768, 768}, {512, 512, 512}}) {
    const std::string size = std::to_string(m) + "x" + std::to_string(k) + "x" + std::to_string(n);
    const MatmulShape shape{m, k, n, false, false};
    add("linear/" + size, [shape, &pool](benchmark::State& state) { bench_matmul(state, shape, true, pool); });
    add("matmul/" + size, [shape, &pool](benchmark::State& state) { bench_matmul(state, shape, false, pool); });
  }
  register_maps(pool);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
