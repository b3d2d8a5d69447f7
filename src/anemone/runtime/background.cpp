// A thread of its own.
#include "anemone/runtime/background.h"

#include <thread>

namespace anemone::runtime {

struct Background::Thread {
  std::thread thread;
};

Background::Background(std::function<void()> work) : thread_(new Thread{std::thread(std::move(work))}) {}
Background::~Background() { thread_->thread.join(); }

}  // namespace anemone::runtime
