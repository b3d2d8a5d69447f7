// One remembered signal.
#include "anemone/support/interrupt.h"

#include <atomic>

namespace anemone {
namespace {

std::atomic<int> g_waiting{0}, g_received{0};
static_assert(std::atomic<int>::is_always_lock_free);

}  // namespace

PostponedSignals::PostponedSignals() {
  g_received = 0;
  ++g_waiting;
}
PostponedSignals::~PostponedSignals() { --g_waiting; }
int PostponedSignals::received() { return g_received; }

bool postpone_signal(int number) {
  int none = 0;
  return g_waiting > 0 && g_received.compare_exchange_strong(none, number);
}

}  // namespace anemone
