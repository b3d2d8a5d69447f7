// The manifest is searched for names, not read: this side of the formats knows no JSON.
#include "anemone/support/package_folder.h"

#include <fstream>
#include <string>

namespace anemone {

namespace fs = std::filesystem;

namespace {

/// A file of `Data` that the manifest lists, or weights in a folder that it lists.
bool is_listed(const fs::path& inside, const std::string& manifest) {
  const auto named = [&](const fs::path& path) {
    return manifest.find('"' + path.generic_string() + '"') != std::string::npos;
  };
  if (inside.filename() == ".DS_Store" || named(inside)) return true;
  return inside.extension() == ".bin" && named(inside.parent_path());
}

}  // namespace

bool is_package_folder(const fs::path& folder) {
  std::ifstream in(folder / "Manifest.json", std::ios::binary);
  std::string manifest(1 << 16, '\0');
  in.read(manifest.data(), static_cast<std::streamsize>(manifest.size()));
  manifest.resize(static_cast<std::size_t>(in.gcount()));
  std::erase(manifest, '\\');  // Apple's library writes "com.apple.CoreML\/weights"
  if (manifest.find("\"itemInfoEntries\"") == std::string::npos) return false;
  if (manifest.find("\"rootModelIdentifier\"") == std::string::npos) return false;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (name != "Manifest.json" && name != "Data" && name != ".DS_Store") return false;
  }
  for (fs::recursive_directory_iterator at(folder / "Data", error), end; !error && at != end; at.increment(error)) {
    if (!at->is_directory(error) && !is_listed(at->path().lexically_relative(folder / "Data"), manifest)) return false;
  }
  return !error || error == std::errc::no_such_file_or_directory;
}

}  // namespace anemone
