#pragma once
// Signals that ask a long run to finish what it has, instead of ending the process at once.

namespace anemone {

/// While one lives, the first SIGINT, SIGTERM or SIGHUP is only remembered. The second one ends the process.
class PostponedSignals {
 public:
  PostponedSignals();
  ~PostponedSignals();
  PostponedSignals(const PostponedSignals&) = delete;
  PostponedSignals& operator=(const PostponedSignals&) = delete;
  static int received();  ///< its number; 0: none came
};

/// For the handler: true where the signal was remembered and the process goes on. Nothing in it allocates.
bool postpone_signal(int number);

}  // namespace anemone
