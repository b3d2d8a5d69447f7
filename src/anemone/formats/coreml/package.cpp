// Package folders: the manifest read and written, weight files looked up, everything moved to its place at once.
#include "anemone/formats/coreml/package.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>

#include "anemone/formats/recognise.h"
#include "anemone/formats/wire/sha256.h"
#include "anemone/support/utf8.h"

namespace anemone::formats {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr const char* kManifest = "Manifest.json";
constexpr const char* kAuthor = "com.apple.CoreML";
constexpr std::string_view kModelPath = "@model_path/";

std::string_view text_of(const Bytes& bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

std::optional<Diagnostic> refuse_lfs_pointer(const Bytes& bytes, const fs::path& path) {
  if (!is_lfs_pointer(bytes.view)) return std::nullopt;
  return bad_input(ErrorCode::lfs_pointer_in_package, "this is a Git LFS pointer, not the file it stands for",
                   path.string(), "run 'git lfs pull' in the repository the package came from");
}

/// Relative and without "..": reading a package never leaves its folder.
bool stays_inside(const fs::path& path) {
  return !path.empty() && path.is_relative() &&
         std::none_of(path.begin(), path.end(), [](const fs::path& part) { return part == ".."; });
}

std::string member_text(const json& object, const char* key) {
  const auto it = object.is_object() ? object.find(key) : object.end();
  return object.is_object() && it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

/// "1.0.0": three numbers; newer ones are refused, as Apple's library does.
bool is_known_version(const std::string& version) {
  std::array<unsigned, 3> numbers{};
  const char* at = version.data();
  const char* const end = at + version.size();
  for (std::size_t i = 0; i < 3; ++i) {
    const auto parsed = std::from_chars(at, end, numbers[i]);
    if (parsed.ec != std::errc{}) return false;
    at = parsed.ptr;
    if (i < 2 && (at == end || *at++ != '.')) return false;
  }
  return at == end && numbers <= std::array<unsigned, 3>{1, 0, 0};
}

Result<Package> open_folder(const fs::path& path) {
  const fs::path manifest_path = path / kManifest;
  std::error_code error;
  if (!fs::exists(manifest_path, error)) {
    if (fs::exists(path / "coremldata.bin", error) || fs::exists(path / "model.mil", error)) {
      return bad_input(ErrorCode::package_damaged,
                       "this is a compiled model (.mlmodelc), which only Apple's runtime reads", path.string(),
                       "give the .mlpackage that it was compiled from");
    }
    return bad_input(ErrorCode::package_damaged, "this folder is not a model package: it has no Manifest.json",
                     path.string());
  }
  TRY(const Bytes bytes, map_file(manifest_path));
  if (auto refusal = refuse_lfs_pointer(bytes, manifest_path)) return *std::move(refusal);
  const auto broken = [&](std::string message) {
    return bad_input(ErrorCode::package_damaged, std::move(message), manifest_path.string(),
                     "the package is damaged or incomplete");
  };
  if (bytes.size() > (1u << 24)) return broken(fmt::format("a manifest of {} bytes is none", bytes.size()));
  const json manifest = json::parse(text_of(bytes), nullptr, /*allow_exceptions=*/false);
  if (!manifest.is_object()) return broken("the manifest is not a JSON object");
  const std::string version = member_text(manifest, "fileFormatVersion");
  if (!is_known_version(version)) {
    Diagnostic newer = broken(fmt::format("the package's format version '{}' is not 1.0.0", printable(version)));
    if (!version.empty()) newer.help = "it was written by a newer format, or damaged; anemone reads 1.0.0";
    return newer;
  }
  const std::string root = member_text(manifest, "rootModelIdentifier");
  const auto items = manifest.find("itemInfoEntries");
  if (root.empty() || items == manifest.end() || !items->is_object() || !items->contains(root)) {
    return broken("the manifest names no root model");
  }
  const fs::path model = member_text(items->at(root), "path");
  if (!stays_inside(model)) {
    return broken(
        fmt::format("the root model's path '{}' is not a path inside the package", printable(model.string())));
  }
  Package package;
  package.path = path;
  package.model_path = path / "Data" / model;
  if (!fs::exists(package.model_path, error)) {
    return broken(fmt::format("the package lacks its model file '{}'", printable(model.string())));
  }
  TRY(package.spec, map_file(package.model_path));
  fs::path weights = package.model_path.parent_path() / "weights";
  for (const auto& [identifier, item] : items->items()) {
    const fs::path item_path = member_text(item, "path");
    if (member_text(item, "name") == "weights" && stays_inside(item_path)) weights = path / "Data" / item_path;
  }
  if (fs::is_directory(weights, error)) package.weights_folder = weights;
  return package;
}

/// A name that is a function of the content (a version 8 UUID: custom, hash-based).
std::string identifier(const std::string& path, const std::string& digest) {
  const std::string seed = fmt::format("anemone/{}/{}", path, digest);
  std::string hex = sha256_hex(std::as_bytes(std::span(seed)));
  for (char& c : hex) {
    if (c >= 'a' && c <= 'f') c = static_cast<char>(c - 'a' + 'A');
  }
  const std::string_view h = hex;
  return fmt::format("{}-{}-8{}-A{}-{}", h.substr(0, 8), h.substr(8, 4), h.substr(12, 3), h.substr(15, 3),
                     h.substr(18, 12));
}

Result<void> write_bytes(const fs::path& path, std::string_view text) {
  TRY(FileWriter file, FileWriter::create(path));
  TRY_VOID(file.append(std::as_bytes(std::span(text.data(), text.size()))));
  return file.close();
}

}  // namespace

Result<Package> open_package(const fs::path& path) {
  std::error_code error;
  Package package;
  if (fs::is_directory(path, error)) {
    TRY(package, open_folder(path));
  } else {
    package.path = package.model_path = path;
    TRY(package.spec, map_file(path));
    const fs::path weights = path.parent_path() / "weights";
    if (fs::is_directory(weights, error)) package.weights_folder = weights;
  }
  if (auto refusal = refuse_lfs_pointer(package.spec, package.model_path)) return *std::move(refusal);
  return package;
}

Result<std::optional<Bytes>> PackageWeights::read(const milspec::BlobReference& reference, milspec::DataType dtype,
                                                  std::uint64_t elements) {
  const std::string& name = reference.file_name;
  auto it = files_.find(name);
  if (it == files_.end()) {
    const fs::path relative = name.starts_with(kModelPath) ? name.substr(kModelPath.size()) : name;
    if (!stays_inside(relative) || !relative.has_filename()) {
      return bad_input(ErrorCode::weight_path_outside,
                       fmt::format("the weight file's name '{}' is not a path inside the package", printable(name)),
                       package_.model_path.string());
    }
    std::error_code error;
    fs::path path = package_.model_path.parent_path() / relative;
    if (!fs::exists(path, error) && package_.weights_folder) path = *package_.weights_folder / relative.filename();
    if (!fs::exists(path, error)) return std::nullopt;
    TRY(Bytes bytes, map_file(path));
    if (is_lfs_pointer(bytes.view)) return std::nullopt;
    TRY(WeightFile file, WeightFile::from_bytes(std::move(bytes), path.string()));
    it = files_.emplace(name, std::move(file)).first;
  }
  return it->second.read(reference.offset, dtype, elements);
}

Result<PackageWriter> PackageWriter::create(const fs::path& target) {
  TRY(PendingOutput output, PendingOutput::create(target, PendingOutput::Kind::folder));
  const fs::path weights = output.path() / "Data" / kAuthor / "weights";
  std::error_code error;
  fs::create_directories(weights, error);
  if (error) return system_error("create a folder", target.string(), error.value());
  return PackageWriter(std::move(output), WeightWriter(weights / "weight.bin"));
}

Result<void> PackageWriter::finish(const milspec::Model& model) {
  TRY_VOID(weights_.finish());
  TRY(const std::string spec, milspec::write_model(model));
  const fs::path folder = output_.path();
  TRY_VOID(write_bytes(folder / "Data" / kAuthor / "model.mlmodel", spec));
  const std::string digest = sha256_hex(std::as_bytes(std::span(spec)));
  const auto item = [](const char* name, const char* description) {
    return json{{"author", kAuthor},
                {"description", description},
                {"name", name},
                {"path", fmt::format("{}/{}", kAuthor, name)}};
  };
  const std::string model_id = identifier("model.mlmodel", digest), weights_id = identifier("weights", digest);
  const json manifest = {{"fileFormatVersion", "1.0.0"},
                         {"itemInfoEntries",
                          {{model_id, item("model.mlmodel", "CoreML Model Specification")},
                           {weights_id, item("weights", "CoreML Model Weights")}}},
                         {"rootModelIdentifier", model_id}};
  TRY_VOID(write_bytes(folder / kManifest, manifest.dump(4)));
  return output_.commit();
}

}  // namespace anemone::formats
