// From files and a model to an engine that runs.
#include "anemone/toolchain/session.h"

#include <fmt/format.h>

#include <algorithm>

#include "anemone/ir/sweep.h"
#include "anemone/ops/execute.h"
#include "anemone/ops/interface_edits.h"
#include "anemone/ops/specialize.h"
#include "anemone/support/mapping.h"
#include "anemone/toolchain/onnx_model.h"
#include "anemone/toolchain/sizes.h"

namespace anemone::toolchain {
namespace {

// An input that the user gave for a function input, by name or because it is the only one.
const InputFile* find_input(const Model& model, const std::vector<InputFile>& files, const std::string& name) {
  const std::size_t function_inputs = model.program->main().body.inputs.size();
  for (const InputFile& file : files) {
    if (file.name == name || (!file.name.empty() && program_name(model, file.name) == name) ||
        (file.name.empty() && function_inputs == 1))
      return &file;
  }
  return nullptr;
}

std::string names_of_inputs(const Function& main) {
  std::string names;
  for (const auto& input : main.body.inputs) names += fmt::format("{}'{}'", names.empty() ? "" : ", ", input->name);
  return names;
}

// Every file is for an input, and every input has at most one file.
Result<void> check_names(const Model& model, const std::vector<InputFile>& files) {
  const Function& main = model.program->main();
  std::vector<std::string_view> known;
  for (const auto& input : main.body.inputs) known.push_back(input->name);
  for (const InputFile& file : files) {
    if (!file.name.empty() && std::find(known.begin(), known.end(), program_name(model, file.name)) == known.end()) {
      return bad_usage(fmt::format("the model has no input '{}'", file.name),
                       did_you_mean(file.name, known, "the inputs are " + names_of_inputs(main)));
    }
    const auto same = [&](const InputFile& other) {
      return other.name == file.name || (known.size() == 1 && (other.name.empty() || file.name.empty()));
    };
    if (std::count_if(files.begin(), files.end(), same) > 1) {
      return bad_usage(fmt::format("several files are given for the input '{}'",
                                   file.name.empty() ? std::string(known.empty() ? "" : known[0]) : file.name),
                       "give each input one file; 'anemone verify' takes several where all of them are of one input");
    }
  }
  return {};
}

Diagnostic input_missing(const Function& main, const Value& value) {
  const Feature* feature = main.interface.input(value.name);
  const bool image = feature && feature->kind == Feature::Kind::image;
  return bad_usage(
      fmt::format("no file is given for the input '{}'", value.name),
      fmt::format("the inputs are {}: '--input {}=FILE.{}'", names_of_inputs(main), value.name, image ? "png" : "npy"));
}

// An array whose extents stand in another order, said here, where the order is known. E0705.
Result<void> check_layout(const InputFile& file, const Value& value) {
  const Type& wanted = value.type.tensor_part();
  const Dims& got = file.array.dims;
  if (file.is_image || wanted.dims.size() != 4 || got == wanted.dims) return {};
  const std::int64_t channels = wanted.dims[1];
  const bool channels_last = got.size() >= 3 && got.back() == channels && got[got.size() - 3] != channels;
  const bool no_batch = got.size() == 3 && got[0] == channels;
  if (got.size() < 3 || got.size() > 4 || (!channels_last && !no_batch)) return {};  // the engine says what it takes
  return bad_input(
      ErrorCode::inputs_do_not_fit,
      fmt::format("the array is {}, and the input '{}' takes {}", brief(got), value.name, brief(wanted.dims)),
      file.file.string(),
      !channels_last    ? "it lacks the first extent: x[None] in numpy"
      : got.size() == 4 ? "it looks like N,H,W,C, the graph takes N,C,H,W: x.transpose(0, 3, 1, 2) in numpy"
                        : "it looks like H,W,C, the graph takes N,C,H,W: x.transpose(2, 0, 1)[None] in numpy");
}

// What is taken without an error and may still be a mistake: another dtype, pixels where normalised numbers belong.
void look_at_arrays(const Model& model, const std::vector<InputFile>& files, std::vector<std::string>& notes) {
  const Function& main = model.program->main();
  const auto trained = trained_preprocessing(model);
  for (const auto& value : main.body.inputs) {
    const InputFile* file = find_input(model, files, value->name);
    if (!file || file->is_image || !value->type.is_tensor()) continue;
    const DType declared = value->type.dtype;
    if (is_float(declared) && file->array.dtype != declared && file->array.dtype != DType::fp32)
      notes.push_back(
          fmt::format("'{}' is converted from {} to {}", file->file.string(), name(file->array.dtype), name(declared)));
    const Feature* feature = main.interface.input(value->name);
    const bool image = feature && feature->kind == Feature::Kind::image;
    if (!trained || image || file->array.data.empty()) continue;
    const auto [low, high] = std::minmax_element(file->array.data.begin(), file->array.data.end());
    const double bias = trained->bias.empty() ? 0 : trained->bias[0], most = 255 * trained->scale + bias;
    if (*high > 1.5 * std::max(std::abs(most), std::abs(bias)))
      notes.push_back(
          fmt::format("the values of '{}' reach {:.4g}; the network was trained on {:.4g} to {:.4g} "
                      "(pixel · {:.4g} + {:.4g})",
                      file->file.string(), *high, bias, most, trained->scale, bias));
  }
}

// Fixes every extent: from the inputs' arrays, else at the default shape.
Result<void> fix_shapes(Model& model, const std::vector<InputFile>& files, bool resize,
                        std::vector<std::string>& notes) {
  const Function& main = model.program->main();
  std::map<std::string, Dims> given;
  for (const auto& input : main.body.inputs) {
    const InputFile* file = find_input(model, files, input->name);
    if (!file) continue;
    const Feature* feature = main.interface.input(input->name);
    if (model.onnx) continue;  // fixed when the graph was read
    if (!file->is_image) given[input->name] = file->array.dims;
    // An image decides the size where the model takes several and nobody wants it resized to the default.
    const bool sized = feature && feature->kind == Feature::Kind::image && feature->is_flexible();
    if (!file->is_image || resize || !sized || input->type.rank() != 4) continue;
    TRY_VOID(check_admitted(*feature, {file->height, file->width}));
    Dims dims = input->type.dims;
    dims[2] = file->height;
    dims[3] = file->width;
    given[input->name] = std::move(dims);
  }
  for (const auto& [name, dims] : given) {
    const Feature* feature = main.interface.input(name);
    if (feature && feature->kind == Feature::Kind::array) TRY_VOID(check_admitted(*feature, dims));
  }
  TRY(ops::Sized sized, ops::at_default_size(*model.program, given));
  if (!sized.without_default.empty()) {
    return bad_usage(fmt::format("the input '{}' has no default size", sized.without_default),
                     fmt::format("give it: '--input {}=FILE.npy'", sized.without_default));
  }
  if (!sized.program) return {};
  model.program = std::move(sized.program);
  for (const auto& [name, dims] : sized.defaults)
    notes.push_back(
        fmt::format("the program takes several sizes; '{}' has its default shape {}", name, anemone::brief(dims)));
  return {};
}

bool has_blocks_or_lists(const Function& function) {
  return std::any_of(function.body.nodes.begin(), function.body.nodes.end(), [](const Node& node) {
    return !node.blocks.empty() || std::any_of(node.outputs.begin(), node.outputs.end(), [](const auto& output) {
      return output->type.kind == Type::Kind::list && !output->constant;
    });
  });
}

bool has_states(const Function& function) {
  return std::any_of(function.body.inputs.begin(), function.body.inputs.end(),
                     [](const auto& input) { return input->type.kind == Type::Kind::state; });
}

// The classifier's last operation, whose results no array holds.
const Node* find_classify(const Function& function) {
  for (const Node& node : function.body.nodes) {
    if (node.type == "classify" && node.input("probabilities")) return &node;
  }
  return nullptr;
}

std::vector<std::string> labels_of(const Node& classify) {
  std::vector<std::string> labels;
  const Operand* classes = classify.operand("classes");
  if (!classes || classes->values.empty() || !classes->values[0]->constant) return labels;
  for (const Constant& label : classes->values[0]->constant->elements) {
    labels.push_back(label.is_string() && !label.strings.empty()
                         ? label.strings[0]
                         : fmt::format("{}", static_cast<std::int64_t>(scalar(label))));
  }
  return labels;
}

// The probabilities, which arrays hold, instead of what is made of them.
Result<void> give_probabilities(Model& model, const Node& classify) {
  std::vector<std::string> names;
  for (const Value* output : model.program->main().body.outputs()) {
    const bool made = output->producer == &classify;
    const std::string& name = made ? classify.input("probabilities")->name : output->name;
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  TRY_VOID(ops::select_outputs(model.program->main(), names));
  sweep(model.program->main().body);
  return {};
}

// A checkpoint is built, and a function of a package chosen, at the size of the one input; other programs are
// specialised later.
std::optional<std::pair<std::int64_t, std::int64_t>> size_of(const std::vector<InputFile>& inputs, bool resize) {
  if (inputs.size() != 1) return std::nullopt;
  const InputFile& input = inputs[0];
  if (input.is_image && !resize) return std::pair(input.height, input.width);
  if (!input.is_image && input.array.rank() == 4) return std::pair(input.array.dims[2], input.array.dims[3]);
  return std::nullopt;
}

std::string_view name(runtime::Precision precision) {
  return precision == runtime::Precision::as_stored ? "as stored"
         : precision == runtime::Precision::fp32    ? "fp32"
                                                    : "fp16";
}

Result<void> choose_outputs(Model& model, const std::vector<std::string>& names) {
  if (names.empty()) return {};
  std::vector<std::string> values;
  for (const std::string& name : names) {
    const bool alias = model.network && model.network->aliases.contains(name);
    values.push_back(alias ? model.network->aliases.at(name) : program_name(model, name));
  }
  auto selected = ops::select_outputs(model.program->main(), values);
  if (!selected) {  // the names were typed, not read from the file
    for (Diagnostic& problem : selected.error()) problem.blame = Blame::usage;
    return selected;
  }
  sweep(model.program->main().body);
  return {};
}

}  // namespace

Result<Session> Session::open(const Model& model, const std::vector<InputFile>& inputs, const SessionOptions& options) {
  Session session;
  session.options_ = options;
  TRY_VOID(require_weights(model));
  for (const auto& value : model.program->main().body.inputs) {
    const InputFile* file = find_input(model, inputs, value->name);
    if (file && value->type.is_tensor()) TRY_VOID(check_layout(*file, *value));
  }
  const bool has_sizes = model.network || model.program->functions.size() > 1;
  const auto size = has_sizes ? size_of(inputs, options.resize) : std::nullopt;
  if (size) {
    auto sized = at_size(model, size->first, size->second);
    if (!sized) {  // an option makes a picture fit; an array is what the file is
      Diagnostic& problem = sized.error().front();
      problem.place = name_of(inputs[0]);
      if (inputs[0].is_image) problem.help += "; or add --resize";
      if (!inputs[0].is_image) problem.blame = Blame::input;
    }
    TRY(session.model_, std::move(sized));
  } else {
    session.model_ = copy(model);
  }
  for (const Diagnostic& warning : model.warnings) session.notes_.push_back(warning.message);
  look_at_arrays(session.model_, inputs, session.notes_);
  TRY_VOID(fix_shapes(session.model_, inputs, options.resize, session.notes_));
  session.landmarks_ = landmark_info(session.model_);
  if (const Node* classify = find_classify(session.function())) {
    session.labels_ = labels_of(*classify);
    session.probabilities_ = classify->input("probabilities")->name;
    TRY_VOID(give_probabilities(session.model_, *classify));
    session.notes_.push_back("a classifier: '" + session.probabilities_ + "' stands for its label and dictionary");
  }
  TRY_VOID(choose_outputs(session.model_, options.outputs));
  session.by_definition_ =
      !ops::is_fixed(session.function()) || has_blocks_or_lists(session.function()) || has_states(session.function());
  if (session.by_definition_) {
    session.notes_.push_back(
        "states, control flow, or extents that are known at run time only: every operation runs by its definition");
  }
  return session;
}

Result<void> Session::compile() {
  if (by_definition_ || engine_) return {};
  const Stopwatch watch;
  pool_ = std::make_unique<runtime::ThreadPool>(options_.threads);
  runtime::EngineOptions options;
  options.precision = options_.precision.value_or(runtime::Precision::as_stored);
  options.half_sums = options_.half_sums;
  TRY(engine_, runtime::Engine::compile(function(), *pool_, options));
  rest_mappings();  // the engine has its own copy of the weights
  const std::vector<runtime::Fallback> slow = engine_->fallbacks();
  for (const runtime::Fallback& op : slow) {
    if (notes_.size() < 8)
      notes_.push_back(fmt::format("{} '{}' has no fast kernel and runs by its definition", op.type, op.name));
  }
  const runtime::EngineMemory memory = engine_->memory();
  model_.talk.detail(fmt::format(
      "compiled {}: {} operations, {} by definition, {}, {} threads, {:.1f} MB of values, {:.1f} MB of weights, {:.0f} ms",
      model_.path.string(), function().body.nodes.size(), slow.size(), name(options.precision), pool_->threads(),
      static_cast<double>(memory.arena_bytes) / 1e6, static_cast<double>(memory.constant_bytes) / 1e6, watch.ms()));
  return {};
}

void Session::release() {
  engine_.reset();
  pool_.reset();
}

Result<std::vector<Array>> Session::bind(const std::vector<InputFile>& files) const {
  const Function& main = function();
  TRY_VOID(check_names(model_, files));
  std::vector<Array> arrays;
  for (const auto& value : main.body.inputs) {
    if (value->type.kind == Type::Kind::state) {
      const Type& content = value->type.tensor_part();
      arrays.push_back({content.dtype, content.dims,
                        std::vector<double>(static_cast<std::size_t>(element_count(content.dims).value_or(0)))});
      continue;
    }
    const InputFile* file = find_input(model_, files, value->name);
    if (!file) return input_missing(main, *value);
    if (!file->is_image) {
      arrays.push_back(file->array);
      continue;
    }
    const Feature* feature = main.interface.input(value->name);
    const bool image_input = feature && feature->kind == Feature::Kind::image;
    const auto trained = trained_preprocessing(model_);
    if (!image_input && !trained) {
      return bad_usage(
          fmt::format("'{}' is an image, and the input '{}' of this model is a tensor", name_of(*file), value->name),
          "give the tensor as .npy");
    }
    InputFile image = *file;
    const Dims& dims = value->type.dims;
    if (image.width != dims[3] || image.height != dims[2]) {
      if (!options_.resize) {
        return bad_usage(fmt::format("'{}' has {}x{} pixels, and the model takes {}x{}", name_of(*file), image.width,
                                     image.height, dims[3], dims[2]),
                         "add --resize, or give an image of that size");
      }
      TRY(image, resized(image, dims[3], dims[2]));
    }
    if (image_input) {
      arrays.push_back(planes(image, feature->color));
      continue;
    }
    Array array = planes(image, trained->color);
    const std::size_t plane = array.data.size() / static_cast<std::size_t>(array.dims[1]);
    for (std::size_t i = 0; i < array.data.size(); ++i) {
      array.data[i] = static_cast<float>(array.data[i] * trained->scale +
                                         (trained->bias.empty() ? 0 : trained->bias[i / plane % trained->bias.size()]));
    }
    arrays.push_back(std::move(array));
  }
  TRY_VOID(fit_ports(model_, main, arrays));
  return arrays;
}

double Session::grey_level() const {
  const Function& main = function();
  const Feature* feature = main.body.inputs.empty() ? nullptr : main.interface.input(main.body.inputs[0]->name);
  if (feature && feature->kind == Feature::Kind::image) return 1;
  const auto trained = trained_preprocessing(model_);
  return trained ? trained->scale : 1;
}

Result<std::vector<Array>> Session::run(const std::vector<Array>& inputs) {
  TRY_VOID(compile());
  if (engine_) return engine_->run(inputs);
  std::vector<Array> fitted = inputs;  // the reference executor takes values as the function declares them
  std::size_t state = 0;
  for (std::size_t i = 0; i < fitted.size() && i < function().body.inputs.size(); ++i) {
    const Type& type = function().body.inputs[i]->type;
    if (type.kind == Type::Kind::state && state < states_.size()) fitted[i] = states_[state++];
    const Type& declared = type.tensor_part();
    if (declared.is_fixed() && element_count(declared.dims) == fitted[i].count() && fitted[i].rank() < 2)
      fitted[i].dims = declared.dims;
    fitted[i].dtype = declared.dtype;
    round_to_dtype(fitted[i]);
  }
  std::vector<Array> states_after;
  TRY(std::vector<Array> results, ops::evaluate(function(), fitted, &states_after));
  states_ = std::move(states_after);
  return results;
}

Result<std::vector<Array>> values_of(const Session& session, SessionOptions options, std::vector<std::string> names,
                                     const std::vector<Array>& inputs) {
  options.outputs = std::move(names);
  TRY(Session part, Session::open(session.model(), {}, options));
  return part.run(inputs);
}

}  // namespace anemone::toolchain
