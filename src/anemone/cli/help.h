#pragma once
// The help texts, made from the tables: nothing in them is written twice.
#include <span>
#include <string>

#include "anemone/cli/verb.h"

namespace anemone::cli {

/// The group of options that every verb has; help lists it last.
inline constexpr std::string_view kCommonOptions = "common options";

/// `full`: with the details, the examples and the exit codes (--help); otherwise what fits a glance (-h).
std::string verb_help(const Verb& verb, const Options& options, bool full, std::size_t width);

/// The verbs with what they are, for programs.
std::string verbs_json(std::span<const Verb* const> verbs);

/// What `anemone help` prints.
std::string program_help(std::span<const Verb* const> verbs, std::size_t width);

}  // namespace anemone::cli
