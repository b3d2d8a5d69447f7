// Model.proto -> structs: a Core ML model file with its interface and metadata.
#include <fmt/format.h>

#include "anemone/formats/coreml/spec_wire.h"

namespace anemone::milspec {

using protobuf::bytes_field;
using protobuf::Message;
using protobuf::ParseError;
using protobuf::varint_field;

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
  while (message.next()) {
    switch (message.field()) {
      case bytes_field(1):
        function.key = message.get_text();
        break;
      case bytes_field(2):
        function.value.inputs.push_back(message.get_message(wire::read_feature));
        break;
      case bytes_field(3):
        function.value.outputs.push_back(message.get_message(wire::read_feature));
        break;
      case bytes_field(4):
        function.value.predicted_feature_name = message.get_text();
        break;
      case bytes_field(5):
        function.value.predicted_probabilities_name = message.get_text();
        break;
      case bytes_field(6):
        function.value.states.push_back(message.get_message(wire::read_feature));
        break;
      default:
        message.skip();
    }
  }
  return function;
}

Metadata read_metadata(Message& message) {
  Metadata metadata;
  while (message.next()) {
    switch (message.field()) {
      case bytes_field(1):
        metadata.short_description = message.get_text();
        break;
      case bytes_field(2):
        metadata.version = message.get_text();
        break;
      case bytes_field(3):
        metadata.author = message.get_text();
        break;
      case bytes_field(4):
        metadata.license = message.get_text();
        break;
      case bytes_field(100):
        message.get_message([&](Message& m) {
          Entry<std::string> entry;
          while (m.next()) {
            switch (m.field()) {
              case bytes_field(1):
                entry.key = m.get_text();
                break;
              case bytes_field(2):
                entry.value = m.get_text();
                break;
              default:
                m.skip();
            }
          }
          metadata.user_defined.push_back(std::move(entry));
        });
        break;
      default:
        message.skip();
    }
  }
  wire::sort_map(metadata.user_defined);
  return metadata;
}

ModelDescription read_description(Message& message) {
  ModelDescription description;
  Interface& interface = description.interface;
  while (message.next()) {
    switch (message.field()) {
      case bytes_field(1):
        interface.inputs.push_back(message.get_message(wire::read_feature));
        break;
      case bytes_field(10):
        interface.outputs.push_back(message.get_message(wire::read_feature));
        break;
      case bytes_field(11):
        interface.predicted_feature_name = message.get_text();
        break;
      case bytes_field(12):
        interface.predicted_probabilities_name = message.get_text();
        break;
      case bytes_field(13):
        interface.states.push_back(message.get_message(wire::read_feature));
        break;
      case bytes_field(20):
        description.functions.push_back(message.get_message(read_function_description));
        break;
      case bytes_field(21):
        description.default_function_name = message.get_text();
        break;
      case bytes_field(50):
        description.training_inputs.push_back(message.get_message(wire::read_feature));
        break;
      case bytes_field(100):
        description.metadata = message.get_message(read_metadata);
        break;
      default:
        message.skip();
    }
  }
  return description;
}

Model read_model_message(Message& message) {
  Model model;
  bool has_program = false;
  std::string_view other;
  while (message.next()) {
    switch (message.field()) {
      case varint_field(1):
        model.specification_version = message.get_int32();
        break;
      case bytes_field(2):
        model.description = message.get_message(read_description);
        break;
      case varint_field(10):
        model.is_updatable = message.get_bool();
        break;
      case bytes_field(kMlProgram):
        model.program = message.get_message(wire::read_program);
        has_program = true;
        break;
      default:
        for (const ModelKind& kind : kModelKinds) {
          if (message.field() == bytes_field(kind.number)) other = kind.name;
        }
        message.skip();
    }
  }
  if (!other.empty() && !has_program) {
    throw ParseError("E0302", fmt::format("this Core ML model is a {}, not an ML Program", other),
                     "convert the original network again with a target of iOS 15 or newer");
  }
  if (!has_program) throw ParseError("E0303", "this is not a Core ML model: it holds no network");
  return model;
}

}  // namespace

Result<Model> read_model(const Bytes& file, std::string_view name) {
  protobuf::Document document;
  document.file = file;
  document.broken_code = "E0303";
  return protobuf::parse(std::move(document), name, read_model_message);
}

}  // namespace anemone::milspec
