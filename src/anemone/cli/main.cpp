// The program: prepares the process, then leaves everything to run_program().
#include <csignal>
#include <cstdlib>
#include <exception>

#include "anemone/cli/program.h"
#include "anemone/cli/verbs.h"

int main(int argc, char** argv) {
  using namespace anemone::cli;
  occupy_standard_descriptors();
  // A reader that goes away (`| head`) must not kill a conversion, and a file size limit is reported like a full disk.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
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
