#pragma once
// Removing what nobody uses.
#include "anemone/ir/graph.h"

namespace anemone {

struct Swept {
  std::size_t nodes = 0, constants = 0;
  bool changed = false;  ///< the program's text is another; a constant written at its use has gone with the use
};
/// Erases the operations whose results nobody uses, but for those that have an effect, and then the constants that nobody
/// uses. Blocks inside of operations stay as they are.
Swept sweep(Block& block);

}  // namespace anemone
