#pragma once
// Could the engine take this operation?
#include <string>
#include <vector>

#include "anemone/plan/ane/rules.h"

namespace anemone::plan::ane {

struct Judged {
  Verdict verdict;
  const Rule* rule = nullptr;  ///< that refused it
};

/// Looks at the node's own types, constants and operands; never at weights. `off` lists operation types that are taken
/// off the engine as a hypothesis.
Judged judge(const Node& node, const Device& device, const WholeProgram& whole,
             const std::vector<std::string>& off = {});

}  // namespace anemone::plan::ane
