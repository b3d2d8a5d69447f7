// Every command that converts is rehearsed, and its plan is set beside the plan of the model.
#include "anemone/toolchain/advice.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>

#include "anemone/plan/ane/planner.h"
#include "anemone/toolchain/plan_model.h"

namespace anemone::toolchain::analysis {
namespace {

namespace ane = plan::ane;

constexpr std::string_view kConvert = "anemone convert MODEL -o OUT.mlpackage";

std::string shell_quoted(const std::string& path) {
  const bool plain = std::all_of(path.begin(), path.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("/._-+=@,:").find(c) != std::string_view::npos;
  });
  if (plain && !path.empty()) return path;
  std::string out = "'";
  for (const char c : path) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

/// Options of a conversion, as rules and findings write them: "--input tensor", "--shapes HxW --target ios18".
struct Wish {
  std::string options;
  ConvertOptions parsed;
};

std::optional<std::pair<std::int64_t, std::int64_t>> map_size(const Analysis& out) {
  for (const FeatureSummary& input : out.inputs) {
    if (input.shape.size() < 2 || (input.kind != "image" && input.shape.size() != 4)) continue;
    const std::int64_t height = input.shape[input.shape.size() - 2], width = input.shape.back();
    if (height > 1 && width > 1) return std::pair(height, width);
  }
  return std::nullopt;
}

/// Nothing where an option is not understood, or wants a size that nobody knows.
std::optional<Wish> wish_of(const std::string& command, const Analysis& out) {
  if (!command.starts_with(kConvert)) return std::nullopt;
  Wish wish;
  std::vector<std::string> words;
  for (std::string_view rest = std::string_view(command).substr(kConvert.size()); !rest.empty();) {
    const std::size_t begin = std::min(rest.find_first_not_of(' '), rest.size());
    const std::size_t end = std::min(rest.find(' ', begin), rest.size());
    if (end > begin) words.emplace_back(rest.substr(begin, end - begin));
    rest.remove_prefix(end);
  }
  for (std::size_t i = 0; i + 1 < words.size(); i += 2) {
    std::string value = words[i + 1];
    if (words[i] == "--input") {
      wish.parsed.input = value == "tensor" ? InputKind::tensor : InputKind::image;
    } else if (words[i] == "--precision") {
      wish.parsed.precision = value == "fp32" ? PackagePrecision::fp32 : PackagePrecision::fp16;
    } else if (words[i] == "--passes") {
      wish.parsed.passes = {value};
    } else if (words[i] == "--outputs") {
      wish.parsed.outputs = {value};
    } else if (words[i] == "--target" && target_from(value)) {
      wish.parsed.target = target_from(value);
    } else if (words[i] == "--shapes" && value == "HxW" && map_size(out)) {
      wish.parsed.shapes = {*map_size(out)};
      value = fmt::format("{}x{}", wish.parsed.shapes[0].first, wish.parsed.shapes[0].second);
    } else {
      return std::nullopt;
    }
    wish.options += fmt::format(" {} {}", words[i], value);
  }
  return wish;
}

/// What the engine makes of a program.
struct Effect {
  std::size_t ops = 0, on_ane = 0;
  double planner_ms = 0;
};

std::optional<Effect> effect_of(const Model& model, const ConvertOptions& options, const ane::Device& device) {
  const auto converted = convert(model, options);
  if (!converted) return std::nullopt;
  ane::PlanOptions plan_options;
  plan_options.lint_weights = false;
  const Interface declared = converted->program->main().interface;
  plan_options.interface = &declared;
  const plan::Plan plan = ane::make_plan(converted->program->main(), device, plan_options);
  return Effect{plan.ops.size(), plan.on_ane, plan.planner_ms};
}

bool helps(const Effect& before, const Effect& after) {
  // By what stays off the engine: a share would count it against a pass that makes one operation of two.
  const std::size_t off_before = before.ops - before.on_ane, off_after = after.ops - after.on_ane;
  return off_after <= off_before && after.on_ane > 0 &&
         (off_after < off_before || after.planner_ms < 0.995 * before.planner_ms);
}

std::string words(const Effect& before, const Effect& after) {
  return fmt::format("{} -> {} of {} operations on the engine, {:.2f} -> {:.2f} ms by the planner", before.on_ane,
                     after.on_ane, after.ops, before.planner_ms, after.planner_ms);
}

/// "star-tensor": what a wish is called in the name of its output.
std::string suffix_of(const Wish& wish) {
  std::string out;
  bool value = false;
  for (std::string_view rest = wish.options; !rest.empty();) {
    const std::size_t begin = std::min(rest.find_first_not_of(' '), rest.size());
    const std::size_t end = std::min(rest.find(' ', begin), rest.size());
    if (value) out += "-" + std::string(rest.substr(begin, end - begin));
    value = !value;
    rest.remove_prefix(end);
  }
  return out;
}

}  // namespace

bool overflows_when_converted(const Model& model) {
  const auto converted = convert(model, {});
  if (!converted) return true;
  for (const auto& constant : converted->program->main().body.constants) {
    if (!constant->type.is_tensor() || !is_float(constant->type.dtype) || !constant->constant->missing.empty())
      continue;
    for (const float value : to_floats(*constant->constant)) {
      if (!std::isfinite(value)) return true;
    }
  }
  return false;
}

void advise(const Model& model, const AnalyzeRequest& request, Analysis& out) {
  const auto device = find_device(request.device);
  if (!device || !model.program) return;
  std::filesystem::path stem = model.path.lexically_normal();
  if (stem.filename().empty()) stem = stem.parent_path();
  const std::string name = stem.stem().string(), source = shell_quoted(model.path.string());
  const auto output = [&](const std::string& suffix) { return shell_quoted(name + suffix + ".mlpackage"); };
  const std::string own = model.path.extension() == ".mlpackage" ? "-ane" : "";
  const bool numbers = static_cast<bool>(require_weights(model));

  std::optional<Effect> before;
  if (model.is_checkpoint()) {
    before = effect_of(model, {}, **device);
    out.advice.push_back({fmt::format("anemone convert {} -o {}", source, output("")),
                          "an fp16 package without what never runs, norms folded into convolutions",
                          {},
                          false});
    out.advice.push_back({fmt::format("anemone verify {} --against {}", output(""), source),
                          "that the package computes the same",
                          {},
                          false});
  } else if (numbers) {
    ConvertOptions as_it_is;
    as_it_is.passes = {"none"};
    before = effect_of(model, as_it_is, **device);
  }
  std::vector<std::pair<Effect, Advice>> tried;
  for (plan::Finding& finding : out.findings) {
    if (finding.command.empty()) continue;
    const auto wish = wish_of(finding.command, out);
    if (!wish) {
      // Not a conversion (reading the weights), or one that this model cannot have.
      const bool conversion = finding.command.find(" convert ") != std::string::npos;
      if (conversion) finding.command.clear();
      for (const auto& [mark, name_of_it] :
           {std::pair<std::string_view, std::string>{"OUT.mlpackage", output(own)}, {"MODEL", source}}) {
        const std::size_t at = finding.command.find(mark);
        if (at != std::string::npos) finding.command.replace(at, mark.size(), name_of_it);
      }
      if (!finding.command.empty())
        out.advice.push_back({finding.command, finding.code + ": " + finding.message, {}, true});
      continue;
    }
    finding.command.clear();
    if (!numbers || !before) continue;
    if (model.is_checkpoint() && wish->options.empty()) {  // said above
      finding.command = out.advice[0].command;
      continue;
    }
    const auto after = effect_of(model, wish->parsed, **device);
    if (!after || !helps(*before, *after)) continue;
    const std::string suffix = wish->options.empty() ? own : suffix_of(*wish);
    finding.command = fmt::format("anemone convert {} -o {}{}", source, output(suffix), wish->options);
    const bool known =
        std::any_of(tried.begin(), tried.end(), [&](const auto& t) { return t.second.command == finding.command; });
    if (!known)
      tried.push_back({*after, {finding.command, finding.code + ": " + finding.message, words(*before, *after), true}});
  }
  std::stable_sort(tried.begin(), tried.end(),
                   [](const auto& a, const auto& b) { return a.first.planner_ms < b.first.planner_ms; });
  for (std::size_t i = 0; i < tried.size(); ++i) {
    Advice& advice = tried[i].second;
    if (!model.is_checkpoint() && i == 0) {  // a package has no conversion of its own: the best one is the next step
      advice.alternative = false;
      out.advice.insert(out.advice.begin(), std::move(advice));
    } else {
      out.advice.push_back(std::move(advice));
    }
  }
}

}  // namespace anemone::toolchain::analysis
