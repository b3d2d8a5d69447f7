// Claiming, spinning and sleeping of the thread pool.
#include "anemone/runtime/base/thread_pool.h"

#include <hwy/cache_control.h>

#include <chrono>
#include <system_error>

namespace anemone::runtime {
namespace {

constexpr int kIndexBits = 20;
constexpr std::uint64_t kIndexMask = (std::uint64_t{1} << kIndexBits) - 1;
constexpr std::int64_t kMaxClaims = static_cast<std::int64_t>(kIndexMask);
// Longer than the gap between two ops of a network, shorter than anything a user or another process would notice.
constexpr std::chrono::microseconds kSpin{20};

std::uint64_t epoch_of(std::uint64_t state) { return state >> (2 * kIndexBits); }

/// True as soon as `ready` says so, false when the spinning time is over.
template <class Ready>
bool spin_until(Ready ready) {
  const auto end = std::chrono::steady_clock::now() + kSpin;
  do {
    for (int i = 0; i < 32; ++i) {
      if (ready()) return true;
      hwy::Pause();
    }
  } while (std::chrono::steady_clock::now() < end);
  return false;
}

}  // namespace

ThreadPool::ThreadPool(int threads) {
  if (threads <= 0) threads = static_cast<int>(std::thread::hardware_concurrency());
  if (threads <= 0) threads = 1;
  workers_.reserve(static_cast<std::size_t>(threads - 1));
  try {
    for (int worker = 1; worker < threads; ++worker) workers_.emplace_back([this, worker] { loop(worker); });
  } catch (const std::system_error&) {
    // The system has no more threads for us: the ones that run share the work.
  }
  scratch_.resize(workers_.size() + 1);
}

ThreadPool::~ThreadPool() {
  quit_.store(true, std::memory_order_release);
  wake_.fetch_add(1, std::memory_order_release);
  wake_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::reserve_scratch(std::size_t floats) {
  for (FloatBuffer& buffer : scratch_) {
    if (buffer.size() < floats) buffer = FloatBuffer(floats);
  }
}

void ThreadPool::run(std::int64_t count, void* context, Task task) {
  if (count <= 0) return;
  if (workers_.empty() || count == 1) {
    for (std::int64_t index = 0; index < count; ++index) task(context, index, 0);
    return;
  }
  context_ = context;
  task_ = task;
  count_ = count;
  const std::int64_t claims = count < kMaxClaims ? count : kMaxClaims;
  stride_ = claims;
  done_.store(0, std::memory_order_relaxed);
  const std::uint64_t epoch = epoch_of(state_.load(std::memory_order_relaxed)) + 1;
  state_.store(epoch << (2 * kIndexBits) | static_cast<std::uint64_t>(claims) << kIndexBits, std::memory_order_release);
  wake_.fetch_add(1, std::memory_order_release);
  wake_.notify_all();
  work(0);
  const auto wanted = static_cast<std::uint32_t>(claims);
  if (spin_until([&] { return done_.load(std::memory_order_acquire) == wanted; })) return;
  // A worker that was descheduled inside its task may need the very core we are spinning on: sleep.
  for (std::uint32_t done; (done = done_.load(std::memory_order_acquire)) != wanted;) done_.wait(done);
}

void ThreadPool::work(int worker) {
  for (std::uint64_t state = state_.load(std::memory_order_acquire);;) {
    const std::uint64_t claims = (state >> kIndexBits) & kIndexMask, next = state & kIndexMask;
    if (next >= claims) return;
    if (!state_.compare_exchange_weak(state, state + 1, std::memory_order_acq_rel, std::memory_order_acquire)) continue;
    // The claim keeps this loop alive until done_ is raised, so its description may be read now and not after.
    for (auto index = static_cast<std::int64_t>(next); index < count_; index += stride_) task_(context_, index, worker);
    if (done_.fetch_add(1, std::memory_order_acq_rel) + 1 == claims && worker != 0) done_.notify_one();
    state = state_.load(std::memory_order_acquire);
  }
}

void ThreadPool::loop(int worker) {
  std::uint32_t seen = 0;
  for (;;) {
    if (!spin_until([&] { return wake_.load(std::memory_order_acquire) != seen; })) wake_.wait(seen);
    seen = wake_.load(std::memory_order_acquire);
    if (quit_.load(std::memory_order_acquire)) return;
    work(worker);
  }
}

}  // namespace anemone::runtime
