// Flags of a conversion.
#include "anemone/cli/convert_options.h"

#include <algorithm>
#include <charconv>

#include "anemone/report/convert.h"

namespace anemone::cli {
namespace {

using toolchain::InputKind;

constexpr Choice<toolchain::PackagePrecision> kPrecisions[] = {{"fp16", toolchain::PackagePrecision::fp16},
                                                               {"fp32", toolchain::PackagePrecision::fp32},
                                                               {"auto", toolchain::PackagePrecision::automatic}};
constexpr Choice<InputKind> kInputs[] = {
    {"auto", InputKind::automatic}, {"image", InputKind::image}, {"tensor", InputKind::tensor}};
constexpr Choice<Color> kColors[] = {{"bgr", Color::bgr}, {"rgb", Color::rgb}, {"gray", Color::gray}};

}  // namespace

Result<std::pair<std::int64_t, std::int64_t>> parse_size(const std::string& word) {
  const std::size_t x = word.find('x');
  std::int64_t height = 0, width = 0;
  const char* end = word.data() + word.size();
  const bool good = x != std::string::npos &&
                    std::from_chars(word.data(), word.data() + x, height).ptr == word.data() + x &&
                    std::from_chars(word.data() + x + 1, end, width).ptr == end;
  if (!good || height < 1 || width < 1 || height > 16384 || width > 16384) {
    return bad_usage("'" + word + "' is not a size such as 256x256 (height x width, 1 to 16384)");
  }
  return std::pair(height, width);
}

bool is_whole_shape(const std::string& word) {
  return word.find('=') != word.npos || std::count(word.begin(), word.end(), 'x') > 1;
}

Result<std::pair<std::string, Dims>> parse_shape(const std::string& word) {
  const std::size_t equals = word.rfind('=');
  std::pair<std::string, Dims> out{equals == word.npos ? "" : word.substr(0, equals), {}};
  const char *at = word.data() + (equals == word.npos ? 0 : equals + 1), *end = word.data() + word.size();
  for (bool more = true; more; at += more ? 1 : 0) {
    std::int64_t extent = 0;
    const auto [stop, problem] = std::from_chars(at, end, extent);
    more = stop != end;
    if (problem != std::errc() || extent < 1 || extent > 1 << 24 || (more && *stop != 'x')) {
      return bad_usage("'" + word + "' is not a size such as 256x256 (height x width, 1 to 16384), nor a whole shape " +
                       "such as NAME=1x3x8x64x64");
    }
    out.second.push_back(extent);
    at = stop;
  }
  return out;
}

Result<void> ModelFlags::add_shapes(std::string_view words) {
  for (std::size_t begin = 0, end = 0; end < words.size(); begin = end + 1) {
    end = std::min(words.find(',', begin), words.size());
    TRY(auto shape, parse_shape(std::string(words.substr(begin, end - begin))));
    if (!shapes.insert(shape).second)
      return bad_usage(shape.first.empty() ? "two shapes are given for one input"
                                           : "the input '" + shape.first + "' is given twice");
  }
  return {};
}

void ConvertFlags::declare(Call& call) {
  Options& options = call.options;
  options.group("what the package computes");
  options.choice(
      "--precision", precision_, kPrecisions,
      precision_by_default_ == toolchain::PackagePrecision::fp16
          ? "fp16 (the default) is what the Neural Engine computes in; auto: but for what calibration shows to be damaged"
          : "fp32 by default; fp16 halves the file");
  options.value("--calibrate", "DIR", calibrate_,
                "pictures that show how far the numbers reach; --precision auto without it takes seeded ones");
  options.list("--keep-fp32", "TYPE|NAME,…", keep_fp32_,
               "operations that compute in fp32, by type or by a value's name");
  options.choice("--target", target_, kTargets, "oldest system that shall load it (ios17; a package keeps its own)");
  options.list("--outputs", "all|final|NAME,…", outputs_,
               "outputs to keep; final = landmarks only, the default of landmark networks", {.distinct = true});
  options.list("--shapes", "HxW,…", shapes_,
               "input size; several make a package that takes each of them, the first by default; of an ONNX file also "
               "whole shapes, [NAME=]1x3x16x112x112",
               {.distinct = true});
  options.flag(
      "--shape-functions", shape_functions_,
      "a function for each of the sizes instead of one graph that takes all (from ios18): each with fixed shapes");
  model_.declare_common(options);
  options.group("image input");
  options.choice("--input", input_, kInputs, "auto: an image for networks that take one; a package keeps its own");

  call.share_color(colors_);
  options.repeated("--channels,--color", "bgr|rgb|gray", colors_,
                   "order of the channels (as the network was trained; STAR: bgr); auto, always and never are about "
                   "colours in the output, as in every verb");
  options.value("--scale", "S", scale_, "pixel · S + B is what the network sees; a fraction will do (STAR: 2/255)");
  options.list("--bias", "B[,B,B]", bias_, "one for all channels, or one each in the order of --color (STAR: -1)");
  options.group("passes");
  options.list("--passes,--pass", "NAME,…", passes_,
               "passes or pipelines to run, in this order; none = change nothing");
  options.list("--skip-pass", "NAME,…", skip_, "leave these out");
  options.value("--stop-after", "NAME", stop_after_, "this pass is the last to run");
  options.flag("--check-passes", check_passes_, "verify and execute before and after every pass");
  options.value("--dump-ir", "DIR", dump_, "write the program as MIL text after every pass that changed it");
  options.flag("--stats", stats_, "time and counts of every pass");
  options.group("metadata");
  options.value("--author", "TEXT", author_, "who made the model");
  options.value("--license", "TEXT", license_, "its licence");
  options.value("--description", "TEXT", description_, "what it does");
  options.value("--model-version", "TEXT", version_, "version of the model");
  options.repeated("--user", "KEY=VALUE", user_, "any other entry");
  options.group("");
}

toolchain::LoadOptions ConvertFlags::load(Call& call, const toolchain::ConvertOptions& options) const {
  ModelFlags model = model_;
  for (const std::string& word : shapes_) {
    if (is_whole_shape(word)) (void)model.add_shapes(word);  // read() has said what is wrong with them
  }
  toolchain::LoadOptions load = model.load(call);
  load.target = target_;
  load.outputs = options.outputs;
  if (!options.shapes.empty()) {  // a checkpoint is built at its first size, not at its default size before
    load.height = options.shapes[0].first;
    load.width = options.shapes[0].second;
    load.size_later = true;
  }
  return load;
}

Result<toolchain::ConvertOptions> ConvertFlags::read(const Call& call) const {
  toolchain::ConvertOptions out;
  if (precision_ && !passes_.empty())
    return bad_usage("--passes names what is done, and --precision chooses among pipelines: they do not go together",
                     "the pipelines are default-fp16 and default-fp32: name one in --passes");
  out.precision = precision_.value_or(precision_by_default_);
  out.target = target_;
  out.input = input_;
  out.scale = scale_;
  out.bias = bias_;
  out.outputs = outputs_;
  out.passes = passes_;
  out.skip_passes = skip_;
  if (stop_after_) out.stop_after = *stop_after_;
  if (calibrate_) out.calibration_folder = *calibrate_;
  out.keep_fp32 = keep_fp32_;
  out.check_passes = check_passes_;
  out.threads = call.threads;
  if (dump_) out.dump_folder = *dump_;
  if (colors_.size() > 1) return bad_usage("--color names more than one order of channels");
  if (!colors_.empty()) {
    const Result<Color> color = Options::one_of(colors_[0], kColors);
    if (!color) return bad_usage("--color: " + color.error().front().message, color.error().front().help);
    out.color = *color;
  }
  if (bias_.size() != 0 && bias_.size() != 1 && bias_.size() != 3) return bad_usage("--bias takes one number or three");
  ModelFlags whole;
  for (const std::string& word : shapes_) {
    if (is_whole_shape(word)) {
      TRY_VOID(whole.add_shapes(word));
      continue;
    }
    TRY(const auto size, parse_size(word));
    if (std::find(out.shapes.begin(), out.shapes.end(), size) != out.shapes.end())
      return bad_usage("--shapes: '" + word + "' is given twice");
    out.shapes.push_back(size);
  }
  out.shape_functions = shape_functions_;
  if (shape_functions_ && shapes_.size() < 2)
    return bad_usage("--shape-functions is about several sizes", "name them: --shapes 256x256,224x224");
  const auto put = [&](const char* key, const std::optional<std::string>& value) {
    if (value) out.metadata[key] = *value;
  };
  put("author", author_);
  put("license", license_);
  put("description", description_);
  put("version", version_);
  for (const std::string& entry : user_) {
    const std::size_t equals = entry.find('=');
    if (equals == 0 || equals == std::string::npos) return bad_usage("--user takes KEY=VALUE, not '" + entry + "'");
    out.metadata[entry.substr(0, equals)] = entry.substr(equals + 1);
  }
  return out;
}

std::string ConvertFlags::again() const {
  std::string words;
  for (const std::string& word : shapes_) {
    if (words.empty() || is_whole_shape(word)) words += (words.empty() ? " --shapes " : ",") + word;
  }
  if (model_.batch != 1) words += " --batch " + std::to_string(model_.batch);
  return words;
}

void ConvertFlags::show(Call& call, const toolchain::Model& model, const toolchain::Delivered& delivered,
                        bool stream) const {
  for (const Diagnostic& warning : model.warnings) call.warn(warning);
  for (const Diagnostic& warning : delivered.warnings) call.warn(warning);
  if (stream) return;
  call.page(call.json ? report::convert_json(delivered.result) : report::convert_text(delivered.result, stats_));
}

}  // namespace anemone::cli
