#pragma once
// How much a state dict is like a network, under its own names or without what a wrapper put before them; and, where it
// is not like enough, what it has of the network: a backbone alone, other heads, another width.
#include <string>
#include <string_view>
#include <vector>

#include "anemone/frontends/models/keys.h"

namespace anemone::models {

/// Part of the needed tensors that the file has by name, 0 to 1. A file counts as a network from one half on: one with
/// missing or foreign tensors should be told which those are, not that it is unknown.
double likeness(const formats::StateDict& state, const KeySpecs& specs);

/// A state dict under names without their first parts.
struct Naming {
  formats::StateDict state;
  std::string note;  ///< what was removed, and what was left aside for it; empty: the names as they are
};
/// The names as they are first; then without "model.", "net.backbone." and the like: a part that all names share, or
/// that at least half of them do (the others, a loss or a teacher, are left aside). Up to four parts deep.
std::vector<Naming> namings(const formats::StateDict& state);

/// What the file has of this network; empty where that is nothing.
std::vector<std::string> describe_likeness(const formats::StateDict& state, const KeySpecs& specs,
                                           std::string_view network);

}  // namespace anemone::models
