#pragma once
// The only threads of the program: N-1 workers and the caller share the tasks of one loop at a time.
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <thread>
#include <type_traits>
#include <vector>

#include "anemone/runtime/base/float_buffer.h"

namespace anemone::runtime {

/// Tasks are claimed one by one, so a worker that lost its core delays nobody but its own task; both sides spin for
/// some microseconds and then sleep. One caller at a time, and no parallel_for from inside a task. Kernels must give
/// the same bits for any number of threads: a task never depends on which worker runs it.
class ThreadPool {
 public:
  /// As many threads as asked for, the caller included; 0 = one per processor this process may use. Where the system
  /// refuses to start more, the pool works with those it got.
  explicit ThreadPool(int threads = 0);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const { return static_cast<int>(workers_.size()) + 1; }

  /// Calls fn(index, worker) for every index in [0, count), worker in [0, threads()). Returns when all are done. `fn`
  /// must not throw. What the tasks wrote is visible to the caller afterwards.
  template <class F>
  void parallel_for(std::int64_t count, F&& fn) {
    using Fn = std::remove_reference_t<F>;
    run(count, const_cast<void*>(static_cast<const void*>(&fn)),
        [](void* context, std::int64_t index, int worker) { (*static_cast<Fn*>(context))(index, worker); });
  }

  /// Splits [0, n) into ranges of at least `grain` and calls fn(begin, end, worker). The ranges depend on n and grain
  /// only.
  template <class F>
  void parallel_ranges(std::int64_t n, std::int64_t grain, F&& fn) {
    const std::int64_t count = (n + grain - 1) / grain;
    parallel_for(count, [&](std::int64_t index, int worker) {
      const std::int64_t begin = index * grain;
      fn(begin, begin + grain < n ? begin + grain : n, worker);
    });
  }

  /// Memory for one task at a time and worker. Reserve before the loop (allocating inside a task could throw there);
  /// the contents do not survive the next loop.
  void reserve_scratch(std::size_t floats);
  float* scratch(int worker) { return scratch_[static_cast<std::size_t>(worker)].data(); }

 private:
  using Task = void (*)(void* context, std::int64_t index, int worker);
  void run(std::int64_t count, void* context, Task task);
  void work(int worker);
  void loop(int worker);

  // epoch (24 bits), count (20), next index (20) in one word: a worker that comes late can never claim from a loop that
  // is over, nor take an index of the next loop for one of this.
  std::atomic<std::uint64_t> state_{0};
  std::atomic<std::uint32_t> wake_{0};  // changes with every loop; what idle workers sleep on
  std::atomic<std::uint32_t> done_{0};
  std::atomic<bool> quit_{false};
  void* context_ = nullptr;
  Task task_ = nullptr;
  std::int64_t count_ = 0, stride_ = 1;  // a claimed index stands for index, index + stride, ... below count
  std::vector<FloatBuffer> scratch_;
  std::vector<std::thread> workers_;
};

}  // namespace anemone::runtime
