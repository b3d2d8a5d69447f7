// Recognition by content, and loading.
#include "anemone/toolchain/model.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "anemone/formats/recognise.h"
#include "anemone/formats/torch/checkpoint.h"
#include "anemone/frontends/mlpackage/reader.h"
#include "anemone/ir/text/parse.h"
#include "anemone/ir/verify.h"
#include "anemone/ops/ops.h"
#include "anemone/support/file.h"
#include "anemone/toolchain/onnx_model.h"

namespace anemone {
namespace {

namespace fs = std::filesystem;

Result<Model> load_checkpoint(const fs::path& path, const LoadOptions& options) {
  TRY(StateDict state, read_state_dict(path));
  models::NetworkOptions wanted{options.network, options.height, options.width, options.target.value_or(Target::ios17)};
  TRY(models::Network network, models::build_network(state, wanted));
  Model model;
  model.program = std::move(network.program);
  model.network = std::move(network);
  return model;
}

Result<Model> load_text(const fs::path& path) {
  TRY(Bytes bytes, map_file(path));
  auto source = std::make_shared<SourceText>();
  source->name = path.string();
  source->text.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  Model model;
  TRY(model.program, parse(std::move(source), ops::table()));
  TRY_VOID(verify(*model.program, {.blame = Blame::input}));
  return model;
}

Result<Model> from_package(Result<ReadPackage> read) {
  if (!read) return std::move(read).error();
  Model model;
  model.program = std::move(read->program);
  for (const std::string& file : read->missing_files) {
    Diagnostic d = bad_input("E0804", fmt::format("the weight file '{}' is missing: structure only, no numbers", file));
    d.severity = Severity::warning;
    model.warnings.push_back(std::move(d));
  }
  return model;
}

/// Read and understood, but its operations have no translation yet: says what is in it.
Diagnostics refuse_onnx(const fs::path& path) {
  Diagnostics warnings;
  const Result<onnx::Model> model = load_onnx(path, warnings);
  if (!model) return model.error();
  return {bad_input("E0400", fmt::format("this is {}; only print and analyze take it in this version", brief(*model)),
                    path.string(), "give the PyTorch checkpoint it was exported from, or a Core ML package")};
}

}  // namespace

std::string_view name(ModelFormat format) {
  switch (format) {
    case ModelFormat::checkpoint:
      return "PyTorch checkpoint";
    case ModelFormat::mlpackage:
      return "Core ML package";
    case ModelFormat::model_spec:
      return "Core ML model file";
    case ModelFormat::mlmodelc:
      return "compiled Core ML model";
    case ModelFormat::mil_text:
      return "MIL text";
    case ModelFormat::onnx:
      return "ONNX model";
  }
  return {};
}

Result<ModelFormat> recognise(const fs::path& path) {
  TRY(const FileIdentity identity, identify(path));
  switch (identity.kind) {
    case FileKind::torch_zip:
    case FileKind::torch_pickle:
      return ModelFormat::checkpoint;
    case FileKind::coreml_package:
      return ModelFormat::mlpackage;
    case FileKind::coreml_compiled:
      return ModelFormat::mlmodelc;
    case FileKind::coreml_model:
      return ModelFormat::model_spec;
    case FileKind::mil_text:
      return ModelFormat::mil_text;
    case FileKind::onnx:
      return ModelFormat::onnx;
    default:
      return refuse(identity, path.string());
  }
}

Result<Model> load_model(const fs::path& path, const LoadOptions& options) {
  TRY(const ModelFormat format, recognise(path));
  Result<Model> model = [&]() -> Result<Model> {
    switch (format) {
      case ModelFormat::checkpoint:
        return load_checkpoint(path, options);
      case ModelFormat::mlpackage:
      case ModelFormat::model_spec:
        return from_package(read_mlpackage(path, ops::table()));
      case ModelFormat::mlmodelc:
        return from_package(read_mlmodelc(path, ops::table()));
      case ModelFormat::mil_text:
        return load_text(path);
      case ModelFormat::onnx:
        return refuse_onnx(path);
    }
    return own_bug("a format without a reader");
  }();
  if (!model) return model;
  model->path = path;
  model->format = format;
  return model;
}

Result<void> require_weights(const Model& model) {
  for (const auto& function : model.program->functions) {
    for (const auto& constant : function->body.constants) {
      if (constant->constant->missing.empty()) continue;
      return bad_input("E0807",
                       fmt::format("the weight file '{}' is missing, and '{}' is in it", constant->constant->missing,
                                   constant->name),
                       model.path.string(),
                       "put the file back into the package; analyze, plan and print work without it");
    }
  }
  return {};
}

std::optional<LandmarkInfo> landmark_info(const Model& model) {
  if (model.network) {
    if (!model.network->landmarks) return std::nullopt;
    return LandmarkInfo{*model.network->landmarks, model.network->width};
  }
  const auto& user = model.program->metadata.user;
  const auto number = [&](std::string_view key, std::int64_t fallback) {
    const auto found = user.find(std::string(key));
    if (found == user.end()) return fallback;
    std::from_chars(found->second.data(), found->second.data() + found->second.size(), fallback);
    return fallback;
  };
  const Function& main = model.program->main();
  std::int64_t side = 256;
  for (const Feature& input : main.interface.inputs) {
    if (input.kind == Feature::Kind::image) side = input.width;
    if (input.kind == Feature::Kind::array && input.shape.size() == 4) side = input.shape[3];
  }
  LandmarkInfo info;
  info.crop_size = number(kMetaCrop, side);
  if (const auto found = user.find(std::string(kMetaLandmarks)); found != user.end()) info.output = found->second;
  if (const auto found = user.find(std::string(kMetaCoordinates)); found != user.end())
    info.coordinates = models::coordinates_from(found->second).value_or(info.coordinates);
  const bool named = user.contains(std::string(kMetaLandmarks));
  for (const Value* output : main.body.outputs()) {
    const Dims& dims = output->type.dims;
    if (!output->type.is_tensor() || (named && output->name != info.output)) continue;
    if (dims.size() == 3 && dims[0] == 1 && dims[1] > 1 && dims[2] == 2) {
      info.points = dims[1];
    } else if (named && dims.size() == 2 && dims[0] == 1 && dims[1] == 2 * number(kMetaPoints, 0) && dims[1] > 0) {
      info.points = dims[1] / 2;
    } else {
      continue;
    }
    info.output = output->name;
  }
  if (info.points == 0) return std::nullopt;
  info.eye_corners = models::outer_eye_corners(info.points);
  return info;
}

}  // namespace anemone
