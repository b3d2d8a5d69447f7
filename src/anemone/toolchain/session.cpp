// From files and a model to an engine that runs.
#include "anemone/toolchain/session.h"

#include <fmt/format.h>

#include <algorithm>

#include "anemone/formats/image/image.h"
#include "anemone/ops/execute.h"
#include "anemone/ops/specialize.h"
#include "anemone/passes/interface_edits.h"
#include "anemone/passes/pass.h"

namespace anemone {
namespace {

// What the fast executor says of programs whose shapes depend on data, and of control flow.
constexpr std::string_view kExtentUnknown = "E0708", kNestedBlocks = "E0707";

// An input that the user gave for a function input, by name or because it is the only one.
const InputFile* find_input(const std::vector<InputFile>& files, const std::string& name, std::size_t function_inputs) {
  for (const InputFile& file : files) {
    if (file.name == name || (file.name.empty() && function_inputs == 1)) return &file;
  }
  return nullptr;
}

Dims default_shape(const Value& input, const Feature* feature) {
  Dims dims = input.type.dims;
  if (!feature) return dims;
  if (feature->kind == Feature::Kind::image && dims.size() == 4) {
    dims[2] = feature->height;
    dims[3] = feature->width;
  } else if (feature->shape.size() == dims.size()) {
    dims = feature->shape;
  }
  return dims;
}

bool is_fixed(const Function& function) {
  bool fixed = true;
  for (const auto& input : function.body.inputs) fixed = fixed && input->type.tensor_part().is_fixed();
  for_each_node(function.body, [&](const Node& node) {
    for (const auto& output : node.outputs) fixed = fixed && (!output->type.is_tensor() || output->type.is_fixed());
  });
  return fixed;
}

// Fixes every extent: from the inputs' arrays, else at the default shape.
Result<void> fix_shapes(Model& model, const std::vector<InputFile>& files, std::vector<std::string>& notes) {
  const Function& main = model.program->main();
  if (is_fixed(main)) return {};
  std::map<std::string, Dims> shapes;
  bool used_default = false;
  for (const auto& input : main.body.inputs) {
    if (!input->type.is_tensor()) continue;
    const Feature* feature = main.interface.input(input->name);
    Dims dims = default_shape(*input, feature);
    const InputFile* file = find_input(files, input->name, main.body.inputs.size());
    if (file && !file->is_image) dims = file->array.dims;
    used_default = used_default || (!input->type.is_fixed() && !file);
    shapes[input->name] = std::move(dims);
  }
  TRY(std::unique_ptr<Program> fixed, ops::specialize(*model.program, main.name, shapes));
  model.program = std::move(fixed);
  if (used_default) {
    for (const auto& [name, dims] : shapes)
      notes.push_back(fmt::format("the program takes several sizes; '{}' has its default shape {}", name, brief(dims)));
  }
  return {};
}

Result<void> choose_outputs(Model& model, const std::vector<std::string>& names) {
  if (names.empty()) return {};
  std::vector<std::string> values;
  for (const std::string& name : names) {
    const bool alias = model.network && model.network->aliases.contains(name);
    values.push_back(alias ? model.network->aliases.at(name) : name);
  }
  TRY_VOID(select_outputs(model.program->main(), values));
  PassContext context;
  auto swept = dead_code_elimination(model.program->main().body, context);
  if (!swept) return std::move(swept).error();
  return {};
}

std::int64_t channels_of(Color color) { return color == Color::gray || color == Color::gray_fp16 ? 1 : 3; }

// Pixels as planes [1, C, H, W] in the colour's order. Gray is the luma of Rec. 601, as Core ML's own conversion.
Array planes(const InputFile& image, Color color) {
  const std::int64_t pixels = image.width * image.height, channels = channels_of(color);
  Array array{DType::fp32,
              {1, channels, image.height, image.width},
              std::vector<double>(static_cast<std::size_t>(pixels * channels))};
  for (std::int64_t i = 0; i < pixels; ++i) {
    const std::uint8_t* bgr = image.bgr.data() + 3 * i;
    if (channels == 1) {
      array.data[static_cast<std::size_t>(i)] = std::round(0.114 * bgr[0] + 0.587 * bgr[1] + 0.299 * bgr[2]);
      continue;
    }
    for (std::int64_t c = 0; c < 3; ++c)
      array.data[static_cast<std::size_t>(c * pixels + i)] = bgr[color == Color::bgr ? c : 2 - c];
  }
  return array;
}

Result<InputFile> resized(const InputFile& from, std::int64_t width, std::int64_t height) {
  TRY(Image image, resize_image(Image{static_cast<int>(from.width), static_cast<int>(from.height), 3, from.bgr},
                                static_cast<int>(width), static_cast<int>(height)));
  InputFile out = from;
  out.width = width;
  out.height = height;
  out.bgr = std::move(image.bgr);
  return out;
}

}  // namespace

InputFile make_image(std::vector<std::uint8_t> bgr, std::int64_t width, std::int64_t height) {
  InputFile image;
  image.is_image = true;
  image.bgr = std::move(bgr);
  image.width = width;
  image.height = height;
  return image;
}

Result<InputFile> read_input(const std::string& word) {
  InputFile input;
  const std::size_t equals = word.find('=');
  if (equals != std::string::npos && word.find('/') > equals) input.name = word.substr(0, equals);
  input.file = input.name.empty() ? word : word.substr(equals + 1);
  if (input.file.extension() == ".npy") {
    TRY(input.array, read_array(input.file));
    return input;
  }
  TRY(Image image, decode_image(input.file));
  input.is_image = true;
  input.width = image.width;
  input.height = image.height;
  input.bgr = std::move(image.bgr);
  return input;
}

Result<Session> Session::open(const std::filesystem::path& path, const std::vector<InputFile>& inputs,
                              const SessionOptions& options) {
  Session session;
  session.options_ = options;
  LoadOptions load{options.network, {}, {}, {}};
  if (inputs.size() == 1) {  // only checkpoints look at these
    const InputFile& input = inputs[0];
    const bool sized_image = input.is_image && !options.resize;
    if (sized_image)
      std::tie(load.height, load.width) = std::pair(std::optional(input.height), std::optional(input.width));
    if (!input.is_image && input.array.rank() == 4)
      std::tie(load.height, load.width) =
          std::pair(std::optional(input.array.dims[2]), std::optional(input.array.dims[3]));
  }
  TRY(session.model_, load_model(path, load));
  for (const Diagnostic& warning : session.model_.warnings) session.notes_.push_back(warning.message);
  TRY_VOID(require_weights(session.model_));
  session.landmarks_ = landmark_info(session.model_);
  TRY_VOID(fix_shapes(session.model_, inputs, session.notes_));
  TRY_VOID(choose_outputs(session.model_, options.outputs));
  session.pool_ = std::make_unique<runtime::ThreadPool>(options.threads);
  runtime::EngineOptions engine;
  engine.precision = options.precision.value_or(runtime::Precision::as_stored);
  engine.half_sums = options.half_sums;
  auto compiled = runtime::Engine::compile(session.function(), *session.pool_, engine);
  if (compiled) {
    session.engine_ = *std::move(compiled);
    for (const runtime::Fallback& slow : session.engine_->fallbacks()) {
      if (session.notes_.size() < 8)
        session.notes_.push_back(
            fmt::format("{} '{}' has no fast kernel and runs by its definition", slow.type, slow.name));
    }
  } else if (const std::string& code = compiled.error().front().code; code == kExtentUnknown || code == kNestedBlocks) {
    session.notes_.push_back(
        "control flow, or extents that are known at run time only: every operation runs by its definition");
  } else {
    return std::move(compiled).error();
  }
  return session;
}

Result<std::vector<Array>> Session::bind(const std::vector<InputFile>& files) const {
  const Function& main = function();
  std::vector<Array> arrays;
  for (const auto& value : main.body.inputs) {
    const InputFile* file = find_input(files, value->name, main.body.inputs.size());
    if (!file) {
      std::string names;
      for (const auto& input : main.body.inputs) names += (names.empty() ? "" : ", ") + input->name;
      return bad_usage(fmt::format("no file is given for the input '{}'", value->name),
                       fmt::format("the inputs are {}: '--input {}=FILE.npy'", names, value->name));
    }
    if (!file->is_image) {
      arrays.push_back(file->array);
      continue;
    }
    const Feature* feature = main.interface.input(value->name);
    const bool image_input = feature && feature->kind == Feature::Kind::image;
    if (!image_input && !model_.network) {
      return bad_usage(fmt::format("'{}' is an image, and the input '{}' of this model is a tensor",
                                   file->file.string(), value->name),
                       "give the tensor as .npy");
    }
    InputFile image = *file;
    const Dims& dims = value->type.dims;
    if (image.width != dims[3] || image.height != dims[2]) {
      if (!options_.resize) {
        return bad_usage(fmt::format("'{}' has {}x{} pixels, and the model takes {}x{}", file->file.string(),
                                     image.width, image.height, dims[3], dims[2]),
                         "add --resize, or give an image of that size");
      }
      TRY(image, resized(image, dims[3], dims[2]));
    }
    if (image_input) {
      arrays.push_back(planes(image, feature->color));
      continue;
    }
    const models::Preprocessing& trained = model_.network->preprocessing;
    Array array = planes(image, trained.color);
    const std::size_t plane = array.data.size() / static_cast<std::size_t>(array.dims[1]);
    for (std::size_t i = 0; i < array.data.size(); ++i) {
      array.data[i] = static_cast<float>(array.data[i] * trained.scale +
                                         (trained.bias.empty() ? 0 : trained.bias[i / plane % trained.bias.size()]));
    }
    arrays.push_back(std::move(array));
  }
  for (const InputFile& file : files) {
    const bool known = file.name.empty() || std::any_of(main.body.inputs.begin(), main.body.inputs.end(),
                                                        [&](const auto& v) { return v->name == file.name; });
    if (!known) return bad_usage(fmt::format("the model has no input '{}'", file.name));
  }
  return arrays;
}

Result<std::vector<Array>> Session::run(const std::vector<Array>& inputs) {
  if (engine_) return engine_->run(inputs);
  std::vector<Array> fitted = inputs;  // the reference executor takes values as the function declares them
  for (std::size_t i = 0; i < fitted.size() && i < function().body.inputs.size(); ++i) {
    const Type& declared = function().body.inputs[i]->type.tensor_part();
    if (declared.is_fixed() && element_count(declared.dims) == fitted[i].count() && fitted[i].rank() < 2)
      fitted[i].dims = declared.dims;
    fitted[i].dtype = declared.dtype;
    round_to_dtype(fitted[i]);
  }
  return ops::evaluate(function(), fitted);
}

}  // namespace anemone
