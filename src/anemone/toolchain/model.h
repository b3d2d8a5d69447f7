#pragma once
// Any input of the program, recognised by its content, as a graph with what is known about it: the currency of all
// verbs. Files are opened here and nowhere else.
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "anemone/formats/torch/checkpoint.h"
#include "anemone/frontends/models/network.h"
#include "anemone/frontends/onnx/lower.h"
#include "anemone/ir/graph.h"
#include "anemone/onnx/graph.h"
#include "anemone/support/result.h"
#include "anemone/toolchain/talk.h"

namespace anemone::toolchain {

enum class ModelFormat : std::uint8_t { checkpoint, mlpackage, model_spec, mlmodelc, mil_text, onnx };
std::string_view name(ModelFormat format);

/// What the bytes at `path` are. Errors name what they are instead (a web page, text, an empty file, a folder).
Result<ModelFormat> recognise(const std::filesystem::path& path);

struct LoadOptions {
  std::optional<std::string> network;  ///< of a checkpoint; else recognised
  std::optional<std::string> weights;  ///< the part of a checkpoint that holds them: "net_ema"; else chosen
  /// Of a checkpoint's input, else the network's default; of the inputs of rank 4 of an ONNX graph, package or text.
  std::optional<std::int64_t> height, width;
  bool size_later = false;                   ///< what needs no building for a size keeps all of its own: for at_size
  std::int64_t batch = 1;                    ///< of a checkpoint, or of an ONNX graph whose first dimension is open
  std::map<std::string, Dims> input_shapes;  ///< of an ONNX graph, by the names of its inputs; "": its only input
  bool shapes_asked = false;  ///< `input_shapes` were asked for, so that other formats and other names refuse them
  std::vector<std::string> outputs;  ///< of an ONNX graph: where it names all of them, it ends there
  std::optional<Target> target;      ///< the opset that the program of a checkpoint or ONNX graph is built for
  bool program_needed = true;  ///< else a checkpoint of an unknown network loads as its tensors, ONNX as its graph
  std::optional<std::int64_t> part;  ///< of a pipeline, from 1; else its only ML Program
  bool one_of_several = false;       ///< options that this file has no use for may be meant for another one
  Talk talk;                         ///< kept in the model, for what is done with it
};

/// Not changed by what is done with it: who edits a program edits a copy. Copies share weights.
struct Model {
  std::filesystem::path path;
  ModelFormat format = ModelFormat::checkpoint;
  std::unique_ptr<Program> program;                   ///< null only where none was needed
  std::shared_ptr<const formats::StateDict> tensors;  ///< of a checkpoint
  std::shared_ptr<const models::Network> network;     ///< of a checkpoint; its `program` has moved to the member above
  std::shared_ptr<const onnx::Model> onnx;            ///< of an ONNX file
  std::vector<onnx::Port> onnx_inputs, onnx_outputs;  ///< how the program's inputs and outputs are called there
  std::size_t onnx_computed = 0, onnx_unneeded = 0;   ///< its nodes that fixed shapes make constant; without a use
  Diagnostics warnings;
  Diagnostics no_network;  ///< why there is no program
  double seconds = 0;      ///< that loading took
  Talk talk;

  bool is_checkpoint() const { return format == ModelFormat::checkpoint; }
};

Result<Model> load(const std::filesystem::path& path, const LoadOptions& options = {});
/// An error of usage: the shapes of the file are what they are.
Diagnostic fixed_batch(const std::filesystem::path& path, std::int64_t batch);

/// A model of the same file whose program may be edited.
Model copy(const Model& model);

/// The same model with an input of another size: a checkpoint's network is built anew from the tensors in memory, any
/// other program is specialised, in all its inputs of rank 4, or that of its functions is taken that has the size. With
/// `largest`, of the sizes that are to share one graph, a network's graph holds nothing of its size. E0612, E0705: a size
/// that it cannot take.
Result<Model> at_size(const Model& model, std::int64_t height, std::int64_t width, std::int64_t largest = 0);

/// Height and width of the first input, where that has four dimensions: the default of one that takes several.
std::optional<std::pair<std::int64_t, std::int64_t>> input_size(const Model& model);

/// The program as MIL text, for `print`.
struct TextOptions {
  bool graph = false;    ///< of an ONNX file: the program that is made of it
  bool exact = false;    ///< every constant in full, parses back to an equal program
  bool origins = false;  ///< a comment says where a node comes from
};
std::string program_text(const Model& model, const TextOptions& options = {});
/// The same in pieces: what `exact` makes of a large network is many times its size.
void write_program(const Model& model, const TextOptions& options, const std::function<void(std::string_view)>& write);

/// An error when weights of the model are missing: for verbs that need numbers.
Result<void> require_weights(const Model& model);

/// What is known about a landmark network: from the checkpoint, or from metadata that anemone wrote. Nothing is guessed
/// from shapes: class scores [1, 16800, 2] are no points.
struct LandmarkInfo : models::Landmarks {
  std::int64_t crop_size = 256;  ///< pixels along the side of the network's input
};
std::optional<LandmarkInfo> landmark_info(const Model& model);
/// In packages by others, when somebody says that there are landmarks: the last output of shape [1, P, 2], with P
/// `points` where that is known (not 0).
std::optional<LandmarkInfo> landmark_output_by_shape(const Model& model, std::int64_t points = 0);

/// How pixels become the numbers of the model's tensor: of the network that the checkpoint is, or that the metadata of a
/// package of ours names.
std::optional<models::Preprocessing> trained_preprocessing(const Model& model);

/// Keys of the metadata that anemone writes into packages.
inline constexpr std::string_view kMetaNetwork = "org.anemone.network", kMetaPoints = "org.anemone.points",
                                  kMetaCrop = "org.anemone.crop_size", kMetaLandmarks = "org.anemone.landmark_output",
                                  kMetaCoordinates = "org.anemone.landmark_coordinates",  // absent: centred
    kMetaSource = "org.anemone.source", kMetaVersion = "org.anemone.version";

}  // namespace anemone::toolchain
