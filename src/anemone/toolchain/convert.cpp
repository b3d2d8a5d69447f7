// Outputs, image input, passes, sizes, metadata: the order in which a conversion does things.
#include "anemone/toolchain/convert.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include "anemone/ir/text/print.h"
#include "anemone/ops/execute.h"
#include "anemone/runtime/engine.h"
#include "anemone/support/file.h"
#include "anemone/toolchain/kept_wide.h"
#include "anemone/toolchain/plan_model.h"
#include "anemone/toolchain/sizes.h"
#include "anemone/toolchain/summary.h"

namespace anemone::toolchain {
namespace {

// Names, groups and aliases to value names.
Result<std::vector<std::string>> wanted_outputs(const Model& model, std::vector<std::string> names) {
  const models::Network* network = model.network.get();
  if (names.empty()) names = {network ? network->default_group : "all"};
  std::vector<std::string> outputs;
  for (const std::string& name : names) {
    if (network && network->output_groups.contains(name)) {
      const auto& group = network->output_groups.at(name);
      outputs.insert(outputs.end(), group.begin(), group.end());
    } else if (!network && name == "all") {
      for (const Value* value : model.program->main().body.outputs()) outputs.push_back(value->name);
    } else if (name == "final") {
      auto landmarks = landmark_info(model);
      if (!landmarks) landmarks = landmark_output_by_shape(model);
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
  const auto note = [&](const std::string& name) {
    if (std::find(outputs.begin(), outputs.end(), name) == outputs.end()) result.outputs_left_out.push_back(name);
  };
  if (model.onnx) {  // the program may have ended before
    for (const onnx::Value* value : model.onnx->graph->outputs()) note(value->name());
  } else {
    for (const Value* value : model.program->main().body.outputs()) note(value->name);
  }
  model.talk.detail(fmt::format("keeping {} outputs, leaving out {}", outputs.size(), result.outputs_left_out.size()));
  for (const std::string& output : outputs) model.talk.more("output " + output);
  auto selected = ops::select_outputs(model.program->main(), outputs);
  if (!selected) {  // the names were typed, not read from the file
    for (Diagnostic& problem : selected.error()) problem.blame = Blame::usage;
  }
  return selected;
}

Diagnostic preprocessing_warning(const models::Preprocessing& trained, const ops::ImageInput& image) {
  Diagnostic d;
  d.severity = Severity::warning;
  d.code = ErrorCode::not_as_trained;
  const auto text = [](const auto& p) {
    return fmt::format("{}, scale {:.6g}, bias {:.6g}", name(p.color), p.scale, p.bias.empty() ? 0 : p.bias[0]);
  };
  d.message =
      fmt::format("the image input ({}) is not what the network was trained with ({})", text(image), text(trained));
  d.help = "leave --color, --scale and --bias out to get what the network expects";
  return d;
}

Diagnostic stays_half() {
  Diagnostic d;
  d.severity = Severity::warning;
  d.message = "the package is fp16 and stays so: '--precision fp32' cannot bring digits back";
  d.help = "convert the checkpoint, or the fp32 package, with '--precision fp32'";
  return d;
}

// The numbers become constants of the package: there they must be what was said.
Result<void> check_scale(const ops::ImageInput& image, PackagePrecision precision) {
  if (image.scale == 0) return bad_usage("--scale 0 would make every pixel the same");
  const bool half = precision != PackagePrecision::fp32;
  const double most = half ? 65504 : 3.4028234663852886e38,
               least = half ? 5.9604644775390625e-8 : 1.401298464324817e-45;
  const auto fits = [&](double v) { return std::isfinite(v) && std::abs(v) <= most; };
  if (!fits(image.scale) || std::abs(image.scale) < least) {
    return bad_usage(fmt::format("--scale {:.6g} does not fit into {}", image.scale, name(precision)),
                     "scale the network's first weights instead");
  }
  for (const double bias : image.bias) {
    if (fits(bias) && fits(bias / image.scale)) continue;
    return bad_usage(
        fmt::format("--bias {:.6g} with --scale {:.6g} does not fit into {}", bias, image.scale, name(precision)));
  }
  return {};
}

Result<void> choose_input(Model& model, const ConvertOptions& options, Converted& result) {
  const bool preprocessing_given = options.color || options.scale || !options.bias.empty();
  const bool image = options.input == InputKind::image ||
                     (options.input == InputKind::automatic && model.network && model.network->batch == 1);
  const auto& declared = model.program->main().interface.inputs;
  const Feature* first = declared.empty() ? nullptr : &declared[0];
  if (!image) {
    const bool is_image = !model.network && first && first->kind == Feature::Kind::image;
    if (is_image && options.input == InputKind::tensor)
      return bad_usage("the package takes an image, and its preprocessing is part of the graph",
                       "convert the checkpoint with '--input tensor'");
    if (preprocessing_given && is_image)
      return bad_usage("the package has its preprocessing inside: --color, --scale and --bias cannot change it",
                       "convert the checkpoint with other ones");
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
      return bad_usage("the package has its preprocessing inside: --color, --scale and --bias cannot change it",
                       "convert the checkpoint with other ones");
    return {};
  }
  const auto trained = trained_preprocessing(model);
  if (!trained && !preprocessing_given)
    return bad_usage("nothing in the package tells how pixels become the numbers of its tensor",
                     "say --color, --scale and --bias; '--scale 1' takes pixels as they are");
  ops::ImageInput wanted{Color::rgb, 1, {}};
  if (trained) wanted = {trained->color, trained->scale, trained->bias};
  if (options.color && *options.color != wanted.color) {
    wanted.color = *options.color;
    std::reverse(wanted.bias.begin(), wanted.bias.end());  // the trained biases go with their colours
  }
  if (options.scale) wanted.scale = *options.scale;
  if (options.scale && options.bias.empty()) wanted.bias.clear();  // another scale makes the trained bias meaningless
  if (!options.bias.empty()) wanted.bias = options.bias;
  TRY_VOID(check_scale(wanted, options.precision));
  if (trained) {
    const bool same_bias = wanted.bias == trained->bias ||
                           (wanted.bias.size() == 1 && std::all_of(trained->bias.begin(), trained->bias.end(),
                                                                   [&](double b) { return b == wanted.bias[0]; }));
    const bool same =
        wanted.color == trained->color && std::abs(wanted.scale - trained->scale) <= 1e-6 * trained->scale && same_bias;
    if (!same && result.warnings.empty()) result.warnings.push_back(preprocessing_warning(*trained, wanted));
  }
  const double bias = wanted.bias.empty() ? 0 : wanted.bias[0];
  model.talk.detail(fmt::format("image input: {}, scale {:.6g}, bias {:.6g}", name(wanted.color), wanted.scale, bias));
  return ops::make_image_input(main, main.interface.inputs[0].name, wanted);
}

void describe_origin(Model& model, const ConvertOptions& options) {
  Metadata& metadata = model.program->metadata;
  if (const models::Network* network = model.network.get()) {
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
  if (words.empty()) words = {fmt::format("default-{}", name(options.precision))};
  std::vector<std::string_view> names;
  for (const passes::Pass& pass : passes::all_passes()) names.push_back(pass.name);
  std::vector<std::string_view> known = passes::pipeline_names();
  known.insert(known.end(), names.begin(), names.end());
  const auto unknown = [&](const std::string& word) {
    return bad_usage(fmt::format("there is no pass or pipeline '{}'", word),
                     did_you_mean(word, known, "'anemone passes' lists them"));
  };
  const auto no_pass = [&](std::string_view option, const std::string& word) {
    return bad_usage(fmt::format("{} takes a pass, and '{}' is none", option, word),
                     did_you_mean(word, names, "'anemone passes' lists them"));
  };
  if (words.size() > 1 && std::find(words.begin(), words.end(), "none") != words.end())
    return bad_usage("--passes none changes nothing, and other passes are named too", "name one or the other");
  std::vector<std::string_view> passes;
  for (std::string word : words) {
    if (word == "default") word = fmt::format("default-{}", name(options.precision));
    if (const auto list = passes::pipeline(word)) {
      passes.insert(passes.end(), list->begin(), list->end());
    } else if (const passes::Pass* pass = passes::find_pass(word)) {
      passes.push_back(pass->name);
    } else {
      return unknown(word);
    }
  }
  for (const std::string& skipped : options.skip_passes) {
    if (!passes::find_pass(skipped)) return no_pass("--skip-pass", skipped);
    std::erase(passes, skipped);
  }
  if (!options.stop_after.empty()) {
    if (!passes::find_pass(options.stop_after)) return no_pass("--stop-after", options.stop_after);
    const auto last = std::find(passes.begin(), passes.end(), options.stop_after);
    if (last == passes.end())
      return bad_usage(fmt::format("--stop-after {}: that pass does not run", options.stop_after),
                       "'anemone passes' shows what the pipelines run");
    passes.erase(last + 1, passes.end());
  }
  return passes;
}

// Reference execution where that takes moments, the fast executor above.
passes::Executor checking_executor(int threads) {
  return [threads](const Function& function, std::span<const Array> inputs) -> Result<std::vector<Array>> {
    constexpr std::int64_t kSlowFrom = 50'000'000;
    if (total_macs(function) < kSlowFrom) return ops::evaluate(function, inputs);
    runtime::ThreadPool pool(threads);
    return run_fast(function, inputs, pool, {});
  };
}

// "12 conv_fused, 3 removed", or what the pass says of itself without counts.
std::string work_of(const passes::PassReport& report) {
  std::string did;
  for (const auto& [what, n] : report.counts) did += fmt::format("{}{} {}", did.empty() ? "" : ", ", n, what);
  return !did.empty() ? did : report.changed ? "changed" : "nothing";
}

// Runs the passes up to the cast to fp16 and looks at the numbers then: names and values are those that are cast.
Result<void> calibrate(Model& model, const ConvertOptions& options, passes::PipelineOptions& pipeline,
                       Converted& result) {
  if (options.precision != PackagePrecision::automatic && options.calibration_folder.empty()) return {};
  passes::PipelineOptions before = pipeline;
  const auto cast = std::find(pipeline.passes.begin(), pipeline.passes.end(), "add_fp16_cast");
  before.passes.assign(pipeline.passes.begin(), cast);
  pipeline.passes.erase(pipeline.passes.begin(), cast);
  TRY(result.passes, passes::run_passes(*model.program, before));
  TRY(const std::vector<InputFile> inputs, calibration_inputs(model, options.calibration_folder));
  TRY(result.ranges, value_ranges(model, inputs, options.threads));
  model.talk.detail(fmt::format("calibrated {} values on {} inputs", result.ranges.size(), inputs.size()));
  return {};
}

Result<void> optimise(Model& model, const ConvertOptions& options, Converted& result) {
  Program& program = *model.program;
  const Stopwatch watch;
  passes::PipelineOptions pipeline_options;
  TRY(pipeline_options.passes, pass_list(options));
  const auto& passes = pipeline_options.passes;
  if (!options.keep_fp32.empty() && std::find(passes.begin(), passes.end(), "add_fp16_cast") == passes.end())
    return bad_usage("--keep-fp32 says what the cast to fp16 leaves alone, and that cast does not run",
                     "leave one of the options out");
  pipeline_options.check = options.check_passes;
  pipeline_options.execute = checking_executor(options.threads);
  // What pays on the oldest chip with figures of its own pays on its successors.
  TRY(const plan::ane::Device* device, find_device(PlanRequest().device));
  pipeline_options.settings = engine_settings(*device);
  const bool one_graph = options.shapes.size() > 1 && !options.shape_functions;
  if (one_graph) pipeline_options.settings.taken = {};  // what one size needs would keep it apart from the others
  if (!options.dump_folder.empty()) {
    std::error_code ignored;
    std::filesystem::create_directories(options.dump_folder, ignored);
    const auto dump = [&options, &result](std::size_t index, std::string_view pass, const Program& now) {
      return write_file(options.dump_folder / fmt::format("{:02}-{}.mil", result.passes.size() + index, pass),
                        to_text(now));
    };
    TRY_VOID(dump(0, "import", program));
    pipeline_options.on_change = dump;
  }
  TRY_VOID(calibrate(model, options, pipeline_options, result));
  const bool look = options.precision == PackagePrecision::automatic;
  KeptWide kept(options.keep_fp32, look ? std::span<const ValueRange>(result.ranges) : std::span<const ValueRange>());
  pipeline_options.settings.wide = [&kept](const Node& node) { return kept.why(node); };
  TRY(std::vector<passes::PassReport> reports, passes::run_passes(program, pipeline_options));
  TRY_VOID(kept.check(program, result.warnings));
  result.passes.insert(result.passes.end(), std::make_move_iterator(reports.begin()),
                       std::make_move_iterator(reports.end()));
  std::string changed;
  for (const passes::PassReport& report : result.passes) {
    if (report.changed) changed += fmt::format("{}{}", changed.empty() ? "" : ", ", report.name);
    model.talk.more(fmt::format("pass {}: {}, {:.1f} ms", report.name, work_of(report), report.ms));
  }
  model.talk.detail(fmt::format("ran {} passes in {:.0f} ms; {} operations left; changed by: {}", result.passes.size(),
                                watch.ms(), program.main().body.nodes.size(), changed.empty() ? "none" : changed));
  return {};
}

// `model` is a copy of its own.
Result<std::unique_ptr<Program>> convert_one(Model model, const ConvertOptions& options, Converted& result) {
  const Target from = model.program->main().opset;
  if (options.target && *options.target != from) {
    auto changed = ops::set_target(*model.program, *options.target);
    if (!changed && !model.network && *options.target < from)
      changed.error().front().help = fmt::format(
          "a package cannot be lowered from {} to {} here; convert the checkpoint "
          "or the original model with '--target {}'",
          name(from), name(*options.target), name(*options.target));
    TRY_VOID(std::move(changed));
  }
  TRY_VOID(choose_outputs(model, options, result));
  TRY_VOID(choose_input(model, options, result));
  const bool unchanged = !model.network && options.passes == std::vector<std::string>{"none"};
  if (!unchanged || !options.metadata.empty()) describe_origin(model, options);
  // An ONNX graph may mix both; there fp16 is the author's choice, and stays.
  const bool was_half = !model.onnx && computes_in_half(model.program->main());
  TRY_VOID(optimise(model, options, result));
  if (was_half && options.precision == PackagePrecision::fp32 && options.passes.empty())
    result.warnings.push_back(stays_half());
  return std::move(model.program);
}

// A program a size; `result` is what is said of the first. With `largest` they are to become one.
Result<std::vector<std::unique_ptr<Program>>> convert_sizes(const Model& model, const ConvertOptions& options,
                                                            std::int64_t largest, Converted& result) {
  std::vector<std::unique_ptr<Program>> programs;
  for (const auto& [height, width] : options.shapes) {
    Converted one;
    TRY(Model sized, at_size(model, height, width, largest));
    TRY(std::unique_ptr<Program> program, convert_one(std::move(sized), options, one));
    if (programs.empty()) result = std::move(one);
    result.inputs_by_size.push_back(summarise_inputs(program->main()));
    result.outputs_by_size.push_back(summarise_outputs(program->main()));
    programs.push_back(std::move(program));
  }
  return programs;
}

}  // namespace

std::string_view name(PackagePrecision precision) { return precision == PackagePrecision::fp32 ? "fp32" : "fp16"; }

Result<Converted> convert(const Model& model, const ConvertOptions& options) {
  Converted result;
  const int specification = options.target ? specification_version(*options.target) : model.program->specification;
  const bool may_have_functions = specification >= specification_version(Target::ios18);
  if (options.shapes.empty()) {
    if (model.program->functions.size() > 1 && !may_have_functions)
      return bad_usage(fmt::format("'{}' holds {} functions, which packages can from ios18", model.path.string(),
                                   model.program->functions.size()),
                       "leave '--target' out, or choose one by its size: '--shapes HxW'");
    TRY(result.program, convert_one(copy(model), options, result));
    return result;
  }
  const bool several = options.shapes.size() > 1;
  if (several && options.shape_functions && !may_have_functions)
    return bad_usage("--shape-functions makes a function for each size, which packages can hold from ios18",
                     "add '--target ios18', or leave it out for one graph that takes all sizes");
  if (several && !options.shape_functions) {
    std::int64_t largest = 0;
    for (const auto& [height, width] : options.shapes) largest = std::max({largest, height, width});
    TRY(auto programs, convert_sizes(model, options, largest, result));
    auto merged = merge_sizes(std::move(programs));
    if (merged) {
      model.talk.detail(fmt::format("{} sizes in one package: one graph takes them all", options.shapes.size()));
      result.program = *std::move(merged);
      return result;
    }
    if (!may_have_functions) {
      for (Diagnostic& problem : merged.error()) problem.blame = Blame::usage;  // --shapes asked for it
      return std::move(merged).error();
    }
  }
  TRY(auto programs, convert_sizes(model, options, 0, result));
  if (several) model.talk.detail(fmt::format("{} sizes in one package: a function each", options.shapes.size()));
  TRY(result.program, functions_by_size(std::move(programs)));
  return result;
}

}  // namespace anemone::toolchain
