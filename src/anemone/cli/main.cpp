// The program: prepares the process, then leaves everything to run_program().
#include <pthread.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <csignal>
#include <cstdlib>
#include <exception>

#include "anemone/cli/program.h"
#include "anemone/cli/verbs.h"
#include "anemone/support/interrupt.h"
#include "anemone/support/unfinished.h"

namespace {

pthread_t g_main_thread;

/// Removes what is half written and ends with 128 + n. Files are written by the main thread alone: while it runs the
/// handler, nothing new appears.
extern "C" void end_by_signal(int number) {
  if (anemone::postpone_signal(number)) return;
  if (::pthread_equal(::pthread_self(), g_main_thread) == 0) {
    ::pthread_kill(g_main_thread, number);
    return;
  }
  anemone::remove_unfinished_outputs();
  ::_exit(128 + number);
}

void handle(int number) {
  struct sigaction action {};
  if (::sigaction(number, nullptr, &action) != 0 || action.sa_handler == SIG_IGN) return;  // nohup stays in force
  action.sa_handler = end_by_signal;
  ::sigfillset(&action.sa_mask);  // a second signal does not interrupt the cleaning
  action.sa_flags = 0;
  ::sigaction(number, &action, nullptr);
}

/// glibc gives the top of its heap back at 128 KB and asks for it again at the next node: of the 7,300 page faults with
/// which a graph of 855 nodes was planned, 4,600 were this. These are the limits that it comes to by itself once a block of
/// 32 MB was freed; what is larger goes back at once, as before.
void keep_freed_memory() {
#ifdef __GLIBC__
  constexpr int kMegabyte = 1 << 20;
  ::mallopt(M_MMAP_THRESHOLD, 32 * kMegabyte);
  ::mallopt(M_TRIM_THRESHOLD, 64 * kMegabyte);
#endif
}

}  // namespace

int main(int argc, char** argv) {
  using namespace anemone::cli;
  keep_freed_memory();
  occupy_standard_descriptors();
  // A reader that goes away (`| head`) must not kill a conversion, and a file size limit is reported like a full disk.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  g_main_thread = ::pthread_self();
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) handle(number);
  // Exceptions that leave a thread never come back to run_program().
  std::set_terminate([] {
    int code = 0;
    {
      Terminal terminal;
      code = explain_exception({}, terminal);
    }
    std::_Exit(code);
  });
  Terminal terminal;
  return run_program({argv + 1, argv + (argc > 0 ? argc : 1)}, all_verbs(), terminal);
}
