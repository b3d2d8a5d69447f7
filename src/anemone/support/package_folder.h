#pragma once
// Whether a folder may be replaced: somebody's work never is.
#include <filesystem>

namespace anemone {

/// A Core ML package and nothing else: its manifest, what that lists, weights beside those, and what Finder leaves
/// everywhere.
bool is_package_folder(const std::filesystem::path& folder);

}  // namespace anemone
