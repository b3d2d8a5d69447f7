// A fixed list of paths, and their removal by means that a signal handler has.
#include "anemone/support/unfinished.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <string>

namespace anemone {
namespace {

/// Temporaries of this process, in a form that a signal handler may read: text without allocation.
class Unfinished {
 public:
  int note(const std::filesystem::path& path) {
    const std::string& text = path.native();
    if (text.size() >= kLongest) return -1;
    for (std::size_t i = 0; i < kSlots; ++i) {
      int empty = 0;
      if (!states_[i].compare_exchange_strong(empty, 1)) continue;
      std::copy(text.begin(), text.end(), paths_[i]);
      paths_[i][text.size()] = '\0';
      states_[i].store(2);
      return static_cast<int>(i);
    }
    return -1;
  }
  void forget(int slot) {
    if (slot >= 0) states_[static_cast<std::size_t>(slot)].store(0);
  }
  template <class Visit>
  void for_each(const Visit& visit) const {
    for (std::size_t i = 0; i < kSlots; ++i) {
      if (states_[i].load() == 2) visit(paths_[i]);
    }
  }

 private:
  static constexpr std::size_t kSlots = 16, kLongest = 4096;
  std::atomic<int> states_[kSlots] = {};  ///< 0 free, 1 being written, 2 in use
  char paths_[kSlots][kLongest] = {};
};
Unfinished g_unfinished;

}  // namespace

int note_unfinished(const std::filesystem::path& path) { return g_unfinished.note(path); }

void forget_unfinished(int slot) { g_unfinished.forget(slot); }

void remove_unfinished_outputs() {
  g_unfinished.for_each([](const char* path) {
    if (::unlink(path) == 0) return;
    // A folder. What walks a tree allocates, which a handler must not; another program may.
    const pid_t child = ::fork();
    if (child == 0) {
      ::execl("/bin/rm", "rm", "-rf", "--", path, static_cast<char*>(nullptr));
      ::_exit(127);
    }
    int status = 0;
    while (child > 0 && ::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
  });
}

}  // namespace anemone
