// Recognition by content, and loading.
#include "anemone/toolchain/model.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>

#include "anemone/formats/torch/checkpoint.h"
#include "anemone/frontends/mlpackage/reader.h"
#include "anemone/ir/text/parse.h"
#include "anemone/ir/verify.h"
#include "anemone/ops/ops.h"
#include "anemone/support/file.h"

namespace anemone {
namespace {

namespace fs = std::filesystem;

bool is_text(std::span<const std::byte> head) {
  return std::all_of(head.begin(), head.end(), [](std::byte b) {
    const auto c = static_cast<unsigned char>(b);
    return c >= 32 || c == '\n' || c == '\r' || c == '\t';
  });
}

// MIL text begins with a comment, `program` or `func`.
bool looks_like_mil(std::span<const std::byte> head) {
  std::string_view text(reinterpret_cast<const char*>(head.data()), head.size());
  text.remove_prefix(std::min(text.find_first_not_of(" \n\r\t"), text.size()));
  return text.starts_with("program") || text.starts_with("func") || text.starts_with("//") || text.starts_with("{");
}

// The fields of ONNX's ModelProto that no Core ML model has at its top level: 7 graph, 8 opset_import.
bool looks_like_onnx(std::span<const std::byte> file) {
  std::size_t at = 0;
  const auto varint = [&]() -> std::uint64_t {
    std::uint64_t value = 0;
    for (int shift = 0; at < file.size() && shift < 64; shift += 7) {
      const auto byte = static_cast<std::uint8_t>(file[at++]);
      value |= static_cast<std::uint64_t>(byte & 127) << shift;
      if (byte < 128) return value;
    }
    at = file.size();
    return 0;
  };
  while (at < file.size()) {
    const std::uint64_t key = varint();
    if (key == (7 << 3 | 2)) return true;
    switch (key & 7) {
      case 0:
        varint();
        break;
      case 1:
        at += 8;
        break;
      case 2: {
        const std::uint64_t size = varint();
        if (size > file.size() - std::min(at, file.size())) return false;
        at += size;
        break;
      }
      case 5:
        at += 4;
        break;
      default:
        return false;
    }
  }
  return false;
}

Result<ModelFormat> recognise_folder(const fs::path& path) {
  std::error_code ignored;
  if (fs::exists(path / "Manifest.json", ignored)) return ModelFormat::mlpackage;
  if (fs::exists(path / "model.mil", ignored)) return ModelFormat::mlmodelc;
  if (fs::exists(path / "coremldata.bin", ignored)) {
    return bad_input("E0802", "this compiled model holds no MIL text (model.mil), so it cannot be read", path.string(),
                     "give the .mlpackage that it was compiled from");
  }
  return bad_input("E0803", "this folder is neither a .mlpackage (no Manifest.json) nor a .mlmodelc", path.string());
}

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
  }
  return {};
}

Result<ModelFormat> recognise(const fs::path& path) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) return recognise_folder(path);
  TRY(Bytes file, map_file(path));
  if (file.size() == 0) return bad_input("E0805", "the file is empty", path.string());
  const auto head = file.view.first(std::min<std::size_t>(file.size(), 512));
  // What starts like one, and the legacy files that only look odd, get their message from the checkpoint reader.
  if (looks_like_checkpoint(head)) return ModelFormat::checkpoint;
  if (is_text(head)) {
    if (looks_like_mil(head)) return ModelFormat::mil_text;
    const std::string_view text(reinterpret_cast<const char*>(head.data()), head.size());
    if (text.starts_with("version https://git-lfs")) return ModelFormat::checkpoint;
    return bad_input("E0806", "this is a text file, and not MIL text", path.string(),
                     "a model is a checkpoint, a .mlpackage or .mlmodelc folder, a model.mlmodel file or MIL text");
  }
  if (looks_like_onnx(file.view)) {
    return bad_input("E0400", "this is an ONNX file, which this version does not read yet", path.string(),
                     "give the PyTorch checkpoint it was exported from, or a Core ML package");
  }
  if (file.view[0] == std::byte{0x08}) return ModelFormat::model_spec;  // field 1, specificationVersion
  return ModelFormat::checkpoint;  // the checkpoint reader knows more kinds of files by name
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
    if (!model.network->is_landmark_network) return std::nullopt;
    return LandmarkInfo{model.network->landmark_output, model.network->points, model.network->width};
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
  for (const Value* output : main.body.outputs()) {
    const Dims& dims = output->type.dims;
    const bool fits = output->type.is_tensor() && dims.size() == 3 && dims[0] == 1 && dims[1] > 1 && dims[2] == 2;
    if (fits && (!user.contains(std::string(kMetaLandmarks)) || output->name == info.output)) {
      info.output = output->name;
      info.points = dims[1];
    }
  }
  if (info.points == 0) return std::nullopt;
  return info;
}

}  // namespace anemone
