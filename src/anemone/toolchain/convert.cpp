// Outputs, image input, passes, sizes, metadata: the order in which a conversion does things.
#include "anemone/toolchain/convert.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "anemone/ir/text/print.h"
#include "anemone/ir/verify.h"
#include "anemone/ops/execute.h"
#include "anemone/ops/specialize.h"
#include "anemone/runtime/engine.h"
#include "anemone/support/file.h"
#include "anemone/toolchain/work.h"

namespace anemone {
namespace {

// Names, groups and aliases to value names.
Result<std::vector<std::string>> wanted_outputs(const Model& model, std::vector<std::string> names) {
  const models::Network* network = model.network ? &*model.network : nullptr;
  if (names.empty()) names = {network ? network->default_group : "all"};
  std::vector<std::string> outputs;
  for (const std::string& name : names) {
    if (network && network->output_groups.contains(name)) {
      const auto& group = network->output_groups.at(name);
      outputs.insert(outputs.end(), group.begin(), group.end());
    } else if (!network && name == "all") {
      for (const Value* value : model.program->main().body.outputs()) outputs.push_back(value->name);
    } else if (name == "final") {
      const auto landmarks = landmark_info(model);
      if (!landmarks)
        return bad_usage("'final' asks for the landmarks, and this model has no landmark output", "name the outputs");
      outputs.push_back(landmarks->output);
    } else {
      outputs.push_back(network && network->aliases.contains(name) ? network->aliases.at(name) : name);
    }
  }
  return outputs;
}

Result<void> choose_outputs(Model& model, const ConvertOptions& options, Converted& result) {
  if (!model.network && options.outputs.empty()) return {};
  TRY(std::vector<std::string> outputs, wanted_outputs(model, options.outputs));
  for (const Value* value : model.program->main().body.outputs()) {
    if (std::find(outputs.begin(), outputs.end(), value->name) == outputs.end())
      result.outputs_left_out.push_back(value->name);
  }
  return select_outputs(model.program->main(), outputs);
}

Diagnostic preprocessing_warning(const models::Network& network, const ImageInput& image) {
  Diagnostic d;
  d.severity = Severity::warning;
  d.code = "E0811";
  const auto text = [](const auto& p) {
    return fmt::format("{}, scale {:.6g}, bias {:.6g}", name(p.color), p.scale, p.bias.empty() ? 0 : p.bias[0]);
  };
  d.message = fmt::format("the image input ({}) is not what {} was trained with ({})", text(image), network.name,
                          text(network.preprocessing));
  d.help = "leave --color, --scale and --bias out to get what the network expects";
  return d;
}

Result<void> choose_input(Model& model, const ConvertOptions& options, Converted& result) {
  const bool preprocessing_given = options.color || options.scale || !options.bias.empty();
  const bool image = options.input == InputKind::image || (options.input == InputKind::automatic && model.network);
  if (!image) {
    if (preprocessing_given)
      return bad_usage("--color, --scale and --bias describe an image input, and this one is a tensor",
                       "add '--input image'");
    return {};
  }
  Function& main = model.program->main();
  if (main.interface.inputs.size() != 1) {
    return bad_usage(fmt::format("the model has {} inputs; an image input is made for models with one",
                                 main.interface.inputs.size()),
                     "use '--input tensor'");
  }
  if (!model.network && main.interface.inputs[0].kind == Feature::Kind::image) {
    if (preprocessing_given)
      return bad_usage("the package has an image input already; its colour, scale and bias are part of the graph");
    return {};
  }
  ImageInput wanted{Color::rgb, 1, {}};
  if (model.network)
    wanted = {model.network->preprocessing.color, model.network->preprocessing.scale,
              model.network->preprocessing.bias};
  if (options.color && *options.color != wanted.color) {
    wanted.color = *options.color;
    std::reverse(wanted.bias.begin(), wanted.bias.end());  // the trained biases go with their colours
  }
  if (options.scale) wanted.scale = *options.scale;
  if (options.scale && options.bias.empty()) wanted.bias.clear();  // another scale makes the trained bias meaningless
  if (!options.bias.empty()) wanted.bias = options.bias;
  if (wanted.scale == 0) return bad_usage("--scale 0 would make every pixel the same");
  if (model.network) {
    const auto& trained = model.network->preprocessing;
    const bool same_bias = wanted.bias == trained.bias ||
                           (wanted.bias.size() == 1 && std::all_of(trained.bias.begin(), trained.bias.end(),
                                                                   [&](double b) { return b == wanted.bias[0]; }));
    const bool same =
        wanted.color == trained.color && std::abs(wanted.scale - trained.scale) <= 1e-6 * trained.scale && same_bias;
    if (!same && result.warnings.empty()) result.warnings.push_back(preprocessing_warning(*model.network, wanted));
  }
  return make_image_input(main, main.interface.inputs[0].name, wanted);
}

void describe_origin(Model& model, const ConvertOptions& options) {
  Metadata& metadata = model.program->metadata;
  if (const models::Network* network = model.network ? &*model.network : nullptr) {
    const models::Landmarks* landmarks = network->landmarks ? &*network->landmarks : nullptr;
    metadata.description = landmarks ? fmt::format("{}, {} points, {}x{} input", landmarks->title, landmarks->points,
                                                   network->width, network->height)
                                     : fmt::format("{}, {}x{} input", network->name, network->width, network->height);
    metadata.user[std::string(kMetaNetwork)] = network->name;
    if (landmarks) {
      metadata.user[std::string(kMetaPoints)] = std::to_string(landmarks->points);
      metadata.user[std::string(kMetaCrop)] = std::to_string(network->width);
      metadata.user[std::string(kMetaLandmarks)] = landmarks->output;
      if (landmarks->coordinates != models::Landmarks::Coordinates::centred)
        metadata.user[std::string(kMetaCoordinates)] = name(landmarks->coordinates);
    }
    metadata.user[std::string(kMetaSource)] = model.path.filename().string();
  }
  metadata.user[std::string(kMetaVersion)] = ANEMONE_VERSION;
  for (const auto& [key, value] : options.metadata) {
    if (key == "author")
      metadata.author = value;
    else if (key == "license")
      metadata.license = value;
    else if (key == "description")
      metadata.description = value;
    else if (key == "version")
      metadata.version = value;
    else
      metadata.user[key] = value;
  }
}

Result<std::vector<std::string_view>> pass_list(const ConvertOptions& options) {
  std::vector<std::string> words = options.passes;
  if (words.empty()) words = {options.half ? "default-fp16" : "default-fp32"};
  std::vector<std::string_view> known = pipeline_names();
  for (const Pass& pass : all_passes()) known.push_back(pass.name);
  const auto unknown = [&](const std::string& word) {
    return bad_usage(fmt::format("there is no pass or pipeline '{}'", word),
                     did_you_mean(word, known, "'anemone passes' lists them"));
  };
  std::vector<std::string_view> passes;
  for (const std::string& word : words) {
    if (const auto list = pipeline(word)) {
      passes.insert(passes.end(), list->begin(), list->end());
    } else if (const Pass* pass = find_pass(word)) {
      passes.push_back(pass->name);
    } else {
      return unknown(word);
    }
  }
  for (const std::string& skipped : options.skip_passes) {
    if (!find_pass(skipped)) return unknown(skipped);
    std::erase(passes, skipped);
  }
  return passes;
}

// Reference execution where that takes moments, the fast executor above.
Executor checking_executor(int threads) {
  return [threads](const Function& function, std::span<const Array> inputs) -> Result<std::vector<Array>> {
    constexpr std::int64_t kSlowFrom = 50'000'000;
    if (total_macs(function) < kSlowFrom) return ops::evaluate(function, inputs);
    runtime::ThreadPool pool(threads);
    return run_fast(function, inputs, pool, {});
  };
}

Result<void> optimise(Program& program, const ConvertOptions& options, Converted& result) {
  PipelineOptions pipeline_options;
  TRY(pipeline_options.passes, pass_list(options));
  pipeline_options.check = options.check_passes;
  pipeline_options.execute = checking_executor(options.threads);
  if (!options.dump_folder.empty()) {
    std::error_code ignored;
    std::filesystem::create_directories(options.dump_folder, ignored);
    const auto dump = [&options](std::size_t index, std::string_view pass, const Program& now) {
      return write_file(options.dump_folder / fmt::format("{:02}-{}.mil", index, pass), to_text(now));
    };
    TRY_VOID(dump(0, "import", program));
    pipeline_options.on_change = dump;
  }
  TRY(result.passes, run_passes(program, pipeline_options));
  return {};
}

Result<void> give_size(Model& model, std::pair<std::int64_t, std::int64_t> size) {
  const Function& main = model.program->main();
  std::map<std::string, Dims> shapes;
  for (const auto& input : main.body.inputs) {
    if (input->type.rank() != 4) continue;
    Dims dims = input->type.dims;
    dims[2] = size.first;
    dims[3] = size.second;
    shapes[input->name] = std::move(dims);
  }
  TRY(model.program, ops::specialize(*model.program, main.name, shapes));
  return {};
}

Result<std::unique_ptr<Program>> convert_one(const std::filesystem::path& input, const ConvertOptions& options,
                                             std::optional<std::pair<std::int64_t, std::int64_t>> size,
                                             Converted& result) {
  LoadOptions load{options.network, {}, {}, options.target};
  if (size) std::tie(load.height, load.width) = std::pair(std::optional(size->first), std::optional(size->second));
  TRY(Model model, load_model(input, load));
  TRY_VOID(require_weights(model));
  if (!model.network && size) TRY_VOID(give_size(model, *size));
  if (!model.network && options.target && *options.target != model.program->main().opset)
    TRY_VOID(set_target(*model.program, *options.target));
  TRY_VOID(choose_outputs(model, options, result));
  TRY_VOID(choose_input(model, options, result));
  const bool unchanged = !model.network && options.passes == std::vector<std::string>{"none"};
  if (!unchanged || !options.metadata.empty()) describe_origin(model, options);
  TRY_VOID(optimise(*model.program, options, result));
  return std::move(model.program);
}

}  // namespace

Result<Converted> convert(const std::filesystem::path& input, const ConvertOptions& options) {
  Converted result;
  if (options.shapes.size() < 2) {
    const auto size = options.shapes.empty() ? std::nullopt : std::optional(options.shapes[0]);
    TRY(result.program, convert_one(input, options, size, result));
    return result;
  }
  std::vector<std::unique_ptr<Program>> programs;
  for (const auto& size : options.shapes) {
    Converted one;
    TRY(std::unique_ptr<Program> program, convert_one(input, options, size, one));
    if (programs.empty()) result = std::move(one);
    programs.push_back(std::move(program));
  }
  const bool may_have_functions = programs[0]->specification >= specification_version(Target::ios18);
  // Tried on copies: merging edits the first program.
  std::vector<std::unique_ptr<Program>> copies;
  for (const auto& program : programs) copies.push_back(clone(*program));
  auto merged = merge_sizes(std::move(copies));
  if (!merged && may_have_functions) merged = functions_by_size(std::move(programs));
  if (!merged) return std::move(merged).error();
  result.program = *std::move(merged);
  return result;
}

}  // namespace anemone
