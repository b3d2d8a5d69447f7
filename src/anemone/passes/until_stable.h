#pragma once
// One rewrite may make room for another of the same kind: a value loses a reader, a chain gets shorter.

namespace anemone::passes {

/// Calls round(), which says whether it changed something, until it did not. True: one of them did.
template <class Round>
bool until_stable(Round round) {
  constexpr int kMostRounds = 16;  // each costs a walk over the block; nobody has seen more than four
  bool changed = false;
  for (int i = 0; i < kMostRounds && round(); ++i) changed = true;
  return changed;
}

}  // namespace anemone::passes
