#pragma once
// From a command line to an exit code.
#include <span>

#include "anemone/cli/verb.h"

namespace anemone::cli {

/// `words` without the program's name. Finds the verb, runs it, and turns everything that can go wrong into a message
/// and an exit code: no exception leaves this function.
int run_program(std::span<const char* const> words, std::span<const Verb* const> verbs, Terminal& terminal);

/// Says what the current exception means for a user and returns the exit code; `words` may be empty when it is not
/// known.
int explain_exception(std::span<const char* const> words, Terminal& terminal);

}  // namespace anemone::cli
