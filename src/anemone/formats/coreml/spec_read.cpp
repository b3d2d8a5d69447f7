// Model.proto -> structs: a Core ML model file with its interface and metadata.
#include <fmt/format.h>

#include <algorithm>

#include "anemone/formats/coreml/spec_wire.h"

namespace anemone::formats::milspec {

using protobuf::field;
using protobuf::Message;
using protobuf::message_field;
using protobuf::ParseError;
using protobuf::read;

namespace {

struct ModelKind {
  std::uint32_t number;
  std::string_view name;
};

constexpr std::uint32_t kMlProgram = 502;
/// Members of Model's oneof `Type`, to name what we do not read.
constexpr ModelKind kModelKinds[] = {{200, "pipelineClassifier"},
                                     {201, "pipelineRegressor"},
                                     {202, "pipeline"},
                                     {300, "glmRegressor"},
                                     {301, "supportVectorRegressor"},
                                     {302, "treeEnsembleRegressor"},
                                     {303, "neuralNetworkRegressor"},
                                     {304, "bayesianProbitRegressor"},
                                     {400, "glmClassifier"},
                                     {401, "supportVectorClassifier"},
                                     {402, "treeEnsembleClassifier"},
                                     {403, "neuralNetworkClassifier"},
                                     {404, "kNearestNeighborsClassifier"},
                                     {500, "neuralNetwork"},
                                     {501, "itemSimilarityRecommender"},
                                     {555, "customModel"},
                                     {556, "linkedModel"},
                                     {560, "classConfidenceThresholding"},
                                     {600, "oneHotEncoder"},
                                     {601, "imputer"},
                                     {602, "featureVectorizer"},
                                     {603, "dictVectorizer"},
                                     {604, "scaler"},
                                     {606, "categoricalMapping"},
                                     {607, "normalizer"},
                                     {609, "arrayFeatureExtractor"},
                                     {610, "nonMaximumSuppression"},
                                     {900, "identity"},
                                     {2000, "textClassifier"},
                                     {2001, "wordTagger"},
                                     {2002, "visionFeaturePrint"},
                                     {2003, "soundAnalysisPreprocessing"},
                                     {2004, "gazetteer"},
                                     {2005, "wordEmbedding"},
                                     {2006, "audioFeaturePrint"},
                                     {3000, "serializedModel"}};

Entry<Interface> read_function_description(Message& message) {
  Entry<Interface> function;
  Interface& interface = function.value;
  read(message, field(1, function.key), field(2, interface.inputs, wire::read_feature),
       field(3, interface.outputs, wire::read_feature), field(4, interface.predicted_feature_name),
       field(5, interface.predicted_probabilities_name), field(6, interface.states, wire::read_feature));
  return function;
}

Metadata read_metadata(Message& message) {
  Metadata metadata;
  read(message, field(1, metadata.short_description), field(2, metadata.version), field(3, metadata.author),
       field(4, metadata.license), message_field(100, [&](Message& m) {
         Entry<std::string>& entry = metadata.user_defined.emplace_back();
         read(m, field(1, entry.key), field(2, entry.value));
       }));
  wire::sort_map(metadata.user_defined);
  return metadata;
}

ModelDescription read_description(Message& message) {
  ModelDescription description;
  Interface& interface = description.interface;
  read(message, field(1, interface.inputs, wire::read_feature), field(10, interface.outputs, wire::read_feature),
       field(11, interface.predicted_feature_name), field(12, interface.predicted_probabilities_name),
       field(13, interface.states, wire::read_feature), field(20, description.functions, read_function_description),
       field(21, description.default_function_name), field(50, description.training_inputs, wire::read_feature),
       field(100, description.metadata, read_metadata));
  return description;
}

PipelinePart read_part(Message& message) {
  PipelinePart part;
  Model model;
  std::optional<Program> program;
  const auto name_other = [&](Message& m) {
    for (const ModelKind& kind : kModelKinds) {
      if (m.field() == protobuf::bytes_field(kind.number)) part.kind = kind.name;
    }
    return false;  // and skip it
  };
  read(message, field(1, model.specification_version), field(2, model.description, read_description),
       field(10, model.is_updatable), field(kMlProgram, program, wire::read_program), name_other);
  if (!program) return part;
  part.kind = "mlProgram";
  model.program = *std::move(program);
  part.model = std::move(model);
  return part;
}

Model read_model_message(Message& message) {
  PipelinePart part = read_part(message);
  if (part.model) return *std::move(part.model);
  if (part.kind.empty())
    throw ParseError(ErrorCode::not_a_core_ml_model, "this is not a Core ML model: it holds no network");
  throw ParseError(ErrorCode::not_an_ml_program,
                   fmt::format("this Core ML model is a {}, not an ML Program", part.kind),
                   "convert the original network again with a target of iOS 15 or newer");
}

std::vector<PipelinePart> read_pipeline_message(Message& message) {
  std::vector<PipelinePart> parts;
  std::vector<std::string> names;
  const auto take = [&](Message& m) { read(m, field(1, parts, read_part), field(2, names)); };
  const auto take_inner = [&](Message& m) { read(m, message_field(1, take)); };
  read(message, message_field(200, take_inner), message_field(201, take_inner), message_field(202, take));
  for (std::size_t i = 0; i < std::min(names.size(), parts.size()); ++i) parts[i].name = names[i];
  return parts;
}

}  // namespace

Result<std::vector<PipelinePart>> read_pipeline(const Bytes& file, std::string_view name) {
  protobuf::Document document;
  document.file = file;
  document.broken_code = ErrorCode::not_a_core_ml_model;
  return protobuf::parse(std::move(document), name, read_pipeline_message);
}

Result<Model> read_model(const Bytes& file, std::string_view name) {
  protobuf::Document document;
  document.file = file;
  document.broken_code = ErrorCode::not_a_core_ml_model;
  return protobuf::parse(std::move(document), name, read_model_message);
}

}  // namespace anemone::formats::milspec
