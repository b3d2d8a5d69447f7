#pragma once
// Mapped files that survive their file: when one shrinks (or its disk fails) while it is mapped, reading behind its new
// end must not kill the process. docs/decisions/0006 says why and how.
#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "anemone/support/result.h"

namespace anemone {

/// Maps `size` bytes of an open file read-only. What the file lost since reads as zeros, and lost_file() says so.
Result<std::shared_ptr<const void>> map_guarded(int descriptor, std::size_t size, const std::filesystem::path& path);

/// Gives the memory back that mapped files occupy: for when their content has been packed into something else. Nothing is
/// lost; what is read again comes from the file again.
void rest_mappings();
/// The same from time to time, for what goes through large files piece by piece: `bytes` more have been read.
void rest_mappings_after(std::size_t bytes);

/// The diagnostic for a mapped file that shrank since the process began: what was read of it is not to be trusted, so
/// outputs are not put in their place (PendingOutput::commit) and the program says so at its end (E0107).
std::optional<Diagnostic> lost_file();

}  // namespace anemone
