#pragma once
// Work beside the caller's: stages of a pipeline that run at the same time and hand items on in order. Queues are bounded,
// so that the fastest stage waits for the slowest one instead of filling memory.
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace anemone::runtime {

/// A function on a thread of its own. The destructor waits for its end.
class Background {
 public:
  /// `work` must not throw. Where the system refuses another thread, std::system_error.
  explicit Background(std::function<void()> work);
  ~Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

 private:
  struct Thread;
  std::unique_ptr<Thread> thread_;
};

/// First in, first out, for one writer and one reader.
template <class T>
class BoundedQueue {
 public:
  explicit BoundedQueue(std::size_t most) : most_(most) {}

  /// Waits for room. False when the queue was closed: the item is dropped and nobody wants more.
  bool push(T item) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return closed_ || items_.size() < most_; });
    if (closed_) return false;
    items_.push_back(std::move(item));
    changed_.notify_all();
    return true;
  }
  /// Waits for an item. Nothing when the queue was closed and is empty.
  std::optional<T> pop() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return closed_ || !items_.empty(); });
    if (items_.empty()) return std::nullopt;
    std::optional<T> item(std::move(items_.front()));
    items_.pop_front();
    changed_.notify_all();
    return item;
  }
  /// By the writer: no more items come. By the reader: no more are wanted.
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<T> items_;
  std::size_t most_;
  bool closed_ = false;
};

}  // namespace anemone::runtime
