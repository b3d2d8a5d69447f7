// Recognition by content, and loading.
#include "anemone/toolchain/model.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "anemone/formats/recognise.h"
#include "anemone/formats/torch/checkpoint.h"
#include "anemone/frontends/mlpackage/mlmodelc.h"
#include "anemone/frontends/mlpackage/reader.h"
#include "anemone/ir/text/parse.h"
#include "anemone/ir/text/print.h"
#include "anemone/ir/verify.h"
#include "anemone/onnx/print.h"
#include "anemone/ops/ops.h"
#include "anemone/support/file.h"
#include "anemone/support/text.h"
#include "anemone/toolchain/onnx_model.h"
#include "anemone/toolchain/sizes.h"

namespace anemone::toolchain {
namespace {

using formats::FileKind;

namespace fs = std::filesystem;

// The network that the tensors make, as a model without a file yet.
Result<Model> build(std::shared_ptr<const formats::StateDict> tensors, const models::NetworkOptions& options,
                    const Talk& talk) {
  const Stopwatch watch;
  TRY(models::Network network, models::build_network(*tensors, options));
  Model model;
  model.tensors = std::move(tensors);
  model.program = std::move(network.program);
  const models::KeyReport& keys = network.keys;
  talk.detail(fmt::format("built {} at {}x{}: {} operations, {} of {} parameters run, {:.0f} ms", network.name,
                          network.height, network.width, model.program->main().body.nodes.size(),
                          grouped(keys.parameters.live), grouped(keys.parameters.total), watch.ms()));
  model.network = std::make_shared<const models::Network>(std::move(network));
  return model;
}

Result<Model> load_checkpoint(const fs::path& path, const LoadOptions& options) {
  TRY(formats::StateDict state, formats::read_state_dict(path, options.weights));
  auto tensors = std::make_shared<const formats::StateDict>(std::move(state));
  options.talk.more(
      fmt::format("{} tensors{}{}", tensors->tensors.size(), tensors->note.empty() ? "" : "; ", tensors->note));
  auto built = build(tensors,
                     {.name = options.network,
                      .height = options.height,
                      .width = options.width,
                      .target = options.target.value_or(Target::ios17),
                      .batch = options.batch},
                     options.talk);
  if (built && !built->network->note.empty()) {
    Diagnostic note = bad_input({}, built->network->note, path.string());
    note.severity = Severity::note;
    built->warnings.push_back(std::move(note));
  }
  // Unknown, or known with tensors that do not fit. With a name given, that name is what was asked.
  const bool input = !built && exit_code(built.error()) == exit_code(Blame::input);
  if (built || !input || options.program_needed || options.network) return built;
  Model model;
  model.tensors = std::move(tensors);
  model.no_network = std::move(built).error();
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

Result<Model> from_package(Result<mlpackage::ReadPackage> read, const fs::path& path) {
  if (!read) return std::move(read).error();
  Model model;
  model.program = std::move(read->program);
  // As strict as for text, but for dtypes that other writers mix: what lies about itself goes no further.
  TRY_VOID(verify(*model.program, {.groups = DTypeGroups::ignored, .blame = Blame::input, .name = path.string()}));
  const auto warn = [&](ErrorCode code, std::string text) {
    Diagnostic d = bad_input(code, std::move(text));
    d.severity = Severity::warning;
    model.warnings.push_back(std::move(d));
  };
  for (const std::string& file : read->missing_files) {
    warn(ErrorCode::weights_missing,
         fmt::format("the weight file '{}' is missing, or a Git LFS pointer: structure only, no numbers", file));
  }
  if (!read->part_of.empty()) warn(ErrorCode::part_of_a_pipeline, std::move(read->part_of));
  const Function& main = model.program->main();
  if (main.interface.inputs.empty() && !main.body.inputs.empty()) {
    warn(ErrorCode::inputs_not_described,
         fmt::format("the description lists no inputs; the program takes '{}'{}", main.body.inputs[0]->name,
                     main.body.inputs.size() > 1 ? " and more" : ""));
  }
  return model;
}

Result<Model> load_onnx_model(const fs::path& path, const LoadOptions& options) {
  Model model;
  TRY(onnx::Model read, load_onnx(path, model.warnings));
  model.onnx = std::make_shared<const onnx::Model>(std::move(read));
  if (auto lowered = lower_onnx(model, path, options); !lowered) {
    if (options.program_needed) return std::move(lowered).error();
    model.no_network = std::move(lowered).error();
  }
  return model;
}

void describe(const Model& model, double ms) {
  const Talk& talk = model.talk;
  if (model.onnx) talk.more(brief(*model.onnx));
  if (model.onnx && !model.program) return;
  if (!model.program) {
    talk.detail(fmt::format("read {}: {}, {} tensors, no known network, {:.0f} ms", model.path.string(),
                            name(model.format), model.tensors->tensors.size(), ms));
    return;
  }
  const Function& main = model.program->main();
  talk.detail(fmt::format("read {}: {}, {} operations, {}, {:.0f} ms", model.path.string(), name(model.format),
                          main.body.nodes.size(), name(main.opset), ms));
  for (const auto& input : main.body.inputs) talk.more(fmt::format("input {}: {}", input->name, brief(input->type)));
  for (const Value* output : main.body.outputs())
    talk.more(fmt::format("output {}: {}", output->name, brief(output->type)));
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
  TRY(const formats::FileIdentity identity, formats::identify(path));
  switch (identity.kind) {
    case FileKind::torch_zip:
    case FileKind::torch_pickle:
    case FileKind::torch_folder:
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

namespace {

/// "star.mlpackage/", as completion in a shell writes it, is star.mlpackage.
fs::path without_slash(const fs::path& path) {
  std::string text = path.string();
  while (text.size() > 1 && text.back() == '/') text.pop_back();
  return text;
}

/// The package that a path leads into; empty when there is none.
std::string package_around(const fs::path& path) {
  for (fs::path at = path.parent_path(); at.has_relative_path(); at = at.parent_path()) {
    if (at.extension() == ".mlpackage" || at.extension() == ".mlmodelc") return at.string();
  }
  return {};
}

/// Options that only one kind of file has a use for are not ignored elsewhere.
Result<void> check_options(const fs::path& path, ModelFormat format, const LoadOptions& options) {
  if (options.one_of_several) return {};
  if (options.shapes_asked && format != ModelFormat::onnx)
    return bad_usage("--shapes with a whole shape is of ONNX files", "give height and width: 256x256");
  if (options.part && format != ModelFormat::mlpackage && format != ModelFormat::model_spec)
    return bad_usage(fmt::format("--part is of Core ML pipelines, and '{}' is none", path.string()), "leave it out");
  if (format == ModelFormat::checkpoint) {
    constexpr std::int64_t kMostSamples = 256;  // constants that go with each are held in memory
    if (options.batch <= kMostSamples) return {};
    return bad_usage(
        fmt::format("--batch {}: a checkpoint's network takes up to {} samples", options.batch, kMostSamples));
  }
  if (options.batch != 1 && format != ModelFormat::onnx) return fixed_batch(path, options.batch);
  const auto refuse = [&](std::string_view option) {
    return bad_usage(fmt::format("{} is of PyTorch checkpoints, and this is a {}", option, name(format)),
                     "leave it out");
  };
  if (options.network) return refuse("--network");
  return options.weights ? refuse("--weights") : Result<void>();
}

}  // namespace

Diagnostic fixed_batch(const fs::path& path, std::int64_t batch) {
  return bad_usage(
      fmt::format("--batch {}: '{}' takes a fixed number of samples", batch, path.string()),
      "give the checkpoint, or an ONNX file that leaves the number open; 'bench --streams N' calls this one N "
      "times at once");
}

Result<Model> load(const fs::path& given, const LoadOptions& options) {
  const fs::path path = without_slash(given);
  const Stopwatch watch;
  const std::string package = package_around(path);
  const auto recognised = recognise(path);
  if (!recognised && !package.empty()) {
    Diagnostics problems = recognised.error();
    problems.front().help = fmt::format("this is inside a package: give {}", package);
    return problems;
  }
  if (!recognised) return recognised.error();
  const ModelFormat format = *recognised;
  TRY_VOID(check_options(path, format, options));
  Result<Model> model = [&]() -> Result<Model> {
    switch (format) {
      case ModelFormat::checkpoint:
        return load_checkpoint(path, options);
      case ModelFormat::mlpackage:
      case ModelFormat::model_spec:
        return from_package(mlpackage::read_mlpackage(path, ops::table(), options.part), path);
      case ModelFormat::mlmodelc:
        return from_package(mlpackage::read_mlmodelc(path, ops::table()), path);
      case ModelFormat::mil_text:
        return load_text(path);
      case ModelFormat::onnx:
        return load_onnx_model(path, options);
    }
    return own_bug("a format without a reader");
  }();
  if (!model) {
    if (!package.empty() && format == ModelFormat::mil_text)
      model.error().front().help = fmt::format("this is inside a package: give {}", package);
    return model;
  }
  if (format == ModelFormat::mlmodelc && path.extension() != ".mlmodelc") {  // "." may be meant otherwise
    Diagnostic note = bad_input({}, fmt::format("the folder '{}' is no NAME.mlmodelc: what is read is '{}'",
                                                path.string(), (path / "model.mil").string()));
    note.severity = Severity::note;
    model->warnings.push_back(std::move(note));
  }
  model->path = path;
  model->format = format;
  model->talk = options.talk;
  const bool builds = model->network || model->onnx;  // for the size that is asked for, and has
  if (options.height && options.width && model->program && !builds && !options.size_later) {
    auto sized = at_size(*model, *options.height, *options.width);
    if (!sized) sized.error().front().place = path.string();
    TRY(model, std::move(sized));
  }
  model->seconds = watch.seconds();
  describe(*model, watch.ms());
  return model;
}

Model copy(const Model& model) {
  Model out;
  out.path = model.path;
  out.format = model.format;
  if (model.program) out.program = clone(*model.program);
  out.tensors = model.tensors;
  out.onnx = model.onnx;
  out.onnx_inputs = model.onnx_inputs;
  out.onnx_outputs = model.onnx_outputs;
  out.onnx_computed = model.onnx_computed;
  out.onnx_unneeded = model.onnx_unneeded;
  out.network = model.network;
  out.warnings = model.warnings;
  out.no_network = model.no_network;
  out.talk = model.talk;
  out.seconds = model.seconds;
  return out;
}

std::string program_text(const Model& model, const TextOptions& options) {
  std::string text;
  write_program(model, options, [&text](std::string_view piece) { text += piece; });
  return text;
}

void write_program(const Model& model, const TextOptions& options, const std::function<void(std::string_view)>& write) {
  if (model.onnx && (!options.graph || !model.program)) return write(onnx::to_text(*model.onnx));
  PrintOptions print;
  print.exact = options.exact;
  print.origins = options.origins;
  write_text(*model.program, print, write);
}

Result<Model> at_size(const Model& model, std::int64_t height, std::int64_t width, std::int64_t largest) {
  Model out = copy(model);
  if (model.network) {
    if (!model.network->constants_depend_on_size) largest = 0;
    if (largest == 0 && model.network->height == height && model.network->width == width) return out;
    if (largest != 0 && model.network->batch != 1)
      return bad_usage("one graph for several sizes takes one sample at a time", "leave --batch out, or name one size");
    TRY(Model built, build(model.tensors,
                           {.name = model.network->name,
                            .height = height,
                            .width = width,
                            .target = model.program->main().opset,
                            .largest_size = largest,
                            .batch = model.network->batch},
                           model.talk));
    out.program = std::move(built.program);
    out.network = std::move(built.network);
    return out;
  }
  if (model.onnx) {
    LoadOptions options{.height = height, .width = width, .target = model.program->main().opset};
    for (const onnx::Port& input : model.onnx_inputs) {
      if (!input.dims.empty()) options.batch = input.dims[0];
    }
    for (const onnx::Port& output : model.onnx_outputs) options.outputs.push_back(output.name);
    TRY_VOID(lower_onnx(out, model.path, options));
    return out;
  }
  TRY(out.program, program_at_size(*out.program, height, width));
  return out;
}

std::optional<std::pair<std::int64_t, std::int64_t>> input_size(const Model& model) {
  const Function& main = model.program->main();
  if (main.body.inputs.empty() || main.body.inputs[0]->type.rank() != 4) return std::nullopt;
  const Value& input = *main.body.inputs[0];
  const Feature* feature = main.interface.input(input.name);
  std::pair size(input.type.dims[2], input.type.dims[3]);
  if (feature && feature->kind == Feature::Kind::image) size = {feature->height, feature->width};
  if (feature && feature->shape.size() == 4) size = {feature->shape[2], feature->shape[3]};
  return size.first > 0 && size.second > 0 ? std::optional(size) : std::nullopt;
}

Result<void> require_weights(const Model& model) {
  for (const auto& function : model.program->functions) {
    for (const auto& constant : function->body.constants) {
      if (constant->constant->missing.empty()) continue;
      if (model.format == ModelFormat::mil_text && constant->constant->missing == model.path) {
        return bad_input(ErrorCode::weights_needed,
                         fmt::format("the text leaves out what is in large constants, as '{}'", constant->name),
                         model.path.string(), "print it with '--exact', which writes every number");
      }
      return bad_input(ErrorCode::weights_needed,
                       fmt::format("the weight file '{}' is missing, and '{}' is in it", constant->constant->missing,
                                   constant->name),
                       model.path.string(),
                       "put the file back into the package; analyze, plan and print work without it");
    }
  }
  return {};
}

}  // namespace anemone::toolchain
