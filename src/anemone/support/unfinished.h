#pragma once
// The temporaries that this process has not finished, for the handler of a signal that ends it.
#include <filesystem>

namespace anemone {

/// The slot to forget later; -1 when the path is too long or there are too many: then a kill leaves the temporary to the
/// next writer (PendingOutput).
int note_unfinished(const std::filesystem::path& path);
void forget_unfinished(int slot);

/// Removes them. Nothing in it allocates: a signal handler may call it.
void remove_unfinished_outputs();

}  // namespace anemone
