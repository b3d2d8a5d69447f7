#pragma once
// Whether two programs are the same: the check behind print and parse, and behind reading and writing packages.
#include <string>

#include "anemone/ir/graph.h"

namespace anemone {

struct CompareOptions {
  bool interface = true;
  bool metadata = true;    ///< metadata, doc, and the program's attributes (buildInfo)
  bool attributes = true;  ///< of functions, blocks and opaque nodes
};

/// Node by node in order, operands by parameter, constants by content (NaNs by bits) wherever they are used. Names of
/// values do not count, except those of a function's inputs and outputs. Unused constants do not count. On a
/// difference, `difference` (if given) says the first one: "main: conv 'y': operand 'pad': int32[4] against int32[2]".
bool same_program(const Program& a, const Program& b, std::string* difference = nullptr,
                  const CompareOptions& options = {});

}  // namespace anemone
