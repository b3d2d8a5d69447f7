#pragma once
// The words of every verb, for what is made of the table: completion, the manual page.
#include <span>
#include <string>
#include <vector>

#include "anemone/cli/verb.h"

namespace anemone::cli {

struct OptionWords {
  std::vector<std::string> names;  ///< "-o", "--output"
  std::string placeholder, help;
  bool takes_value = false;
  std::vector<std::string> values;  ///< where it is one of a few
};
struct VerbWords {
  const Verb* verb = nullptr;
  std::vector<OptionWords> options;
};
/// Declares every verb's options without running anything.
std::vector<VerbWords> words_of_verbs(std::span<const Verb* const> verbs);

/// anemone(1), as man reads it.
std::string manual_page(std::span<const Verb* const> verbs);

}  // namespace anemone::cli
