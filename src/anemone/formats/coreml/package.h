#pragma once
// `.mlpackage` folders: Manifest.json, the model file and its weights; opened for reading, or written whole or not at
// all.
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "anemone/formats/coreml/spec.h"
#include "anemone/formats/coreml/weight_blob.h"
#include "anemone/support/bytes.h"
#include "anemone/support/file.h"
#include "anemone/support/result.h"

namespace anemone::formats {

struct Package {
  std::filesystem::path path;        ///< as given: the folder, or a bare model file
  std::filesystem::path model_path;  ///< the model file
  Bytes spec;                        ///< its bytes, mapped: for milspec::read_model
  std::optional<std::filesystem::path>
      weights_folder;  ///< empty when the package has none (opening works all the same)
};

/// Opens a package folder or a bare model file. Nothing is written (Apple's library rewrites Manifest.json).
Result<Package> open_package(const std::filesystem::path& path);

/// The weights that a program refers to. Each file is mapped once, on first use; data are views into it.
class PackageWeights {
 public:
  explicit PackageWeights(const Package& package) : package_(package) {}
  /// "@model_path/weights/weight.bin" is looked up beside the model file, then by its last part in the weights folder.
  /// No value: the file itself is missing, or a Git LFS pointer stands for it. The structure can be had without it.
  Result<std::optional<Bytes>> read(const milspec::BlobReference& reference, milspec::DataType dtype,
                                    std::uint64_t elements);

 private:
  Package package_;
  std::map<std::string, WeightFile, std::less<>> files_;
};

/// How blob references name the weight file that PackageWriter writes.
inline constexpr const char* kWeightFileName = "@model_path/weights/weight.bin";

/// Writes a package with Apple's item names. The same weights and model always give the same bytes: the identifiers in
/// the manifest are hashes.
class PackageWriter {
 public:
  /// Refuses targets that exist and are no package.
  static Result<PackageWriter> create(const std::filesystem::path& target);
  /// Append blobs here while building the model; refer to them with kWeightFileName.
  WeightWriter& weights() { return weights_; }
  /// Writes model and manifest and moves the package to its place. Without it nothing is left behind.
  Result<void> finish(const milspec::Model& model);

 private:
  PackageWriter(PendingOutput output, WeightWriter weights)
      : output_(std::move(output)), weights_(std::move(weights)) {}
  PendingOutput output_;
  WeightWriter weights_;
};

}  // namespace anemone::formats
