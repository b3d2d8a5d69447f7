#pragma once
// Any input of the program, recognised by its content, as a graph with what is known about it.
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "anemone/frontends/models/network.h"
#include "anemone/ir/graph.h"
#include "anemone/support/result.h"

namespace anemone {

enum class ModelFormat : std::uint8_t { checkpoint, mlpackage, model_spec, mlmodelc, mil_text, onnx };
std::string_view name(ModelFormat format);

/// What the bytes at `path` are. Errors name what they are instead (a web page, text, an empty file, a folder).
Result<ModelFormat> recognise(const std::filesystem::path& path);

struct LoadOptions {
  std::optional<std::string> network;         ///< of a checkpoint; else recognised
  std::optional<std::int64_t> height, width;  ///< of a checkpoint's input; else the network's default
  std::optional<Target> target;               ///< the opset a checkpoint's program is built for
};

struct Model {
  std::filesystem::path path;
  ModelFormat format = ModelFormat::checkpoint;
  std::unique_ptr<Program> program;
  std::optional<models::Network> network;  ///< of a checkpoint; its `program` has moved to the member above
  Diagnostics warnings;

  bool is_checkpoint() const { return network.has_value(); }
};

Result<Model> load_model(const std::filesystem::path& path, const LoadOptions& options = {});

/// An error when weights of the model are missing: for verbs that need numbers.
Result<void> require_weights(const Model& model);

/// What is known about a landmark network: from the checkpoint, from metadata that anemone wrote, or, in packages by
/// others, from the last output of shape [1, P, 2].
struct LandmarkInfo : models::Landmarks {
  std::int64_t crop_size = 256;  ///< pixels along the side of the network's input
};
std::optional<LandmarkInfo> landmark_info(const Model& model);

/// Keys of the metadata that anemone writes into packages.
inline constexpr std::string_view kMetaNetwork = "org.anemone.network", kMetaPoints = "org.anemone.points",
                                  kMetaCrop = "org.anemone.crop_size", kMetaLandmarks = "org.anemone.landmark_output",
                                  kMetaCoordinates = "org.anemone.landmark_coordinates",  // absent: centred
    kMetaSource = "org.anemone.source", kMetaVersion = "org.anemone.version";

}  // namespace anemone
