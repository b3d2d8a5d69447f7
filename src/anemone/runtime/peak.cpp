// A loop per thread, all at once; a try that was disturbed is not the best one.
#include "anemone/runtime/peak.h"

#include <algorithm>
#include <chrono>
#include <vector>

#include "anemone/runtime/cpu/fma_loop.h"

namespace anemone::runtime {

double peak_gflops(ThreadPool& pool) {
  using Clock = std::chrono::steady_clock;
  constexpr int kTries = 30;
  constexpr std::int64_t kRounds = 100'000;
  const int threads = pool.threads();
  std::vector<float> sink(static_cast<std::size_t>(threads));
  std::vector<double> done(sink.size());
  double best = 0;
  for (int i = 0; i < kTries; ++i) {
    const auto start = Clock::now();
    pool.parallel_for(threads, [&](std::int64_t task, int) {
      done[static_cast<std::size_t>(task)] = cpu::fma_loop(kRounds, &sink[static_cast<std::size_t>(task)]);
    });
    const std::chrono::duration<double> seconds = Clock::now() - start;
    double operations = 0;
    for (const double one : done) operations += one;
    best = std::max(best, operations / seconds.count() / 1e9);
  }
  return best;
}

}  // namespace anemone::runtime
