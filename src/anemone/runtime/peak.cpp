// A loop per thread, all at once, in short pieces: whoever interrupts a thread spoils few of them.
#include "anemone/runtime/peak.h"

#include <algorithm>
#include <chrono>
#include <numeric>
#include <vector>

#include "anemone/runtime/cpu/fma_loop.h"

namespace anemone::runtime {
namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

/// The speed that a tenth of the pieces reach: the fastest one of all may be of a moment when the others waited.
double one_thread() {
  constexpr Seconds kSpan{0.05};
  constexpr std::int64_t kRounds = 100'000;  // a fifth of a millisecond, of slices of a few
  std::vector<double> speeds;
  float sink = 0;
  const auto begin = Clock::now();
  do {
    const auto start = Clock::now();
    const double operations = cpu::fma_loop(kRounds, &sink);
    speeds.push_back(operations / Seconds(Clock::now() - start).count() / 1e9);
  } while (Clock::now() - begin < kSpan);
  std::sort(speeds.begin(), speeds.end());
  return speeds[speeds.size() * 9 / 10];
}

}  // namespace

double peak_gflops(ThreadPool& pool) {
  std::vector<double> speeds(static_cast<std::size_t>(pool.threads()));
  pool.parallel_for(pool.threads(),
                    [&](std::int64_t task, int) { speeds[static_cast<std::size_t>(task)] = one_thread(); });
  return std::accumulate(speeds.begin(), speeds.end(), 0.0);
}

}  // namespace anemone::runtime
