// What the analysis itself found, the order of all findings, and the commands that help.
#include <fmt/format.h>

#include <algorithm>

#include "anemone/support/text.h"
#include "anemone/toolchain/analyze_parts.h"

namespace anemone::toolchain::analysis {
namespace {

using plan::Finding;

Finding finding(std::string_view code, std::string_view severity, std::string message) {
  Finding f;
  f.code = f.name = code;
  f.severity = severity;
  f.message = std::move(message);
  f.trust = plan::Trust::computed;  // counted in the file
  return f;
}

void dead_weights(const Model& model, Analysis& out) {
  if (out.parameters.dead == 0) return;
  Finding f = finding("dead-weights", "info",
                      fmt::format("{} of {} parameters never run ({} {})", grouped(out.parameters.dead),
                                  grouped(out.parameters.total), out.dead_modules.size(),
                                  model.is_checkpoint()          ? "modules"
                                  : out.dead_modules.size() == 1 ? "constant"
                                                                 : "constants"));
  f.instead = "leave them out: what never runs only fills the file";
  f.command = "anemone convert MODEL -o OUT.mlpackage";
  f.ops = out.dead_modules;
  out.findings.push_back(std::move(f));
}

void output_choices(Analysis& out) {
  for (const OutputChoice& choice : out.output_choices) {
    const std::int64_t saved = out.macs + out.fixed_macs - choice.macs - choice.fixed_macs;
    if (saved <= 0 && choice.parameters_dead == 0) continue;
    Finding f =
        finding("unneeded-outputs", "info",
                fmt::format("the outputs '{}' alone need {} MACs less than all, and {} parameters more never run",
                            choice.name, grouped(saved), grouped(choice.parameters_dead)));
    f.instead = "ask only for the outputs that are used";
    f.command = fmt::format("anemone convert MODEL -o OUT.mlpackage --outputs {}", choice.name);
    f.ops = choice.dead_modules;
    out.findings.push_back(std::move(f));
  }
}

std::vector<std::string> names_of(const std::vector<ScannedTensor>& tensors, bool (*fits)(const ScannedTensor&)) {
  std::vector<std::string> names;
  for (const ScannedTensor& t : tensors) {
    if (fits(t)) names.push_back(t.name);
  }
  return names;
}

void weight_hazards(Analysis& out) {
  const WeightScan& scan = out.weights;
  const ScannedTensor& t = scan.total;
  if (!scan.done) {
    if (scan.bytes == 0) return;
    Finding f =
        finding("weights-not-read", "info",
                fmt::format("{:.0f} MB of weights were not read for hazards", static_cast<double>(scan.bytes) / 1e6));
    f.checked = false;
    f.instead = "read them: memory stays bounded";
    f.command = "anemone analyze MODEL --scan-weights";
    out.findings.push_back(std::move(f));
    return;
  }
  if (t.not_finite > 0) {
    Finding f =
        finding("weights-not-finite", "error", fmt::format("{} weights are infinite or NaN", grouped(t.not_finite)));
    f.instead = "export the model again from a sound checkpoint";
    f.ops = names_of(scan.worst, [](const ScannedTensor& s) { return s.not_finite > 0; });
    out.findings.push_back(std::move(f));
  }
  if (t.overflow > 0) {
    Finding f = finding("weights-overflow", "error",
                        fmt::format("{} weights are beyond fp16's largest value, 65504 (the largest is {:.4g})",
                                    grouped(t.overflow), t.largest));
    f.instead = "scale the layer, or keep fp32";
    f.command = "anemone convert MODEL -o OUT.mlpackage --precision fp32";
    f.ops = names_of(scan.worst, [](const ScannedTensor& s) { return s.overflow > 0; });
    out.findings.push_back(std::move(f));
  }
  if (t.subnormal + t.zeroed > 0) {
    const double share = 100.0 * static_cast<double>(t.subnormal + t.zeroed) / static_cast<double>(t.elements);
    Finding f = finding("weights-subnormal", share >= 1 ? "warn" : "info",
                        fmt::format("{} of {} weights ({:.2g} %) are below fp16's normal range (6.1e-5), {} become 0",
                                    grouped(t.subnormal + t.zeroed), grouped(t.elements), share, grouped(t.zeroed)));
    f.instead = share >= 1 ? "move scales out of the weights" : "nothing, as long as the outputs agree";
    if (share >= 1) f.command = "anemone verify OUT.mlpackage --against MODEL";
    f.ops = names_of(scan.worst, [](const ScannedTensor& s) { return s.subnormal + s.zeroed > 0; });
    out.findings.push_back(std::move(f));
  }
}

void dynamic_operations(Analysis& out) {
  std::size_t count = 0;
  std::vector<std::string> names;
  for (const OpGroup& group : out.dynamic) {
    count += group.ops.size();
    names.insert(names.end(), group.ops.begin(), group.ops.end());
  }
  if (count == 0) return;
  Finding f = finding("dynamic-shapes", "warn",
                      fmt::format("{} operations depend on shapes that are known only at run time ({}{})", count,
                                  out.dynamic[0].what, out.dynamic.size() > 1 ? ", …" : ""));
  f.instead = "fix the size, or list the sizes";
  f.command = "anemone convert MODEL -o OUT.mlpackage --shapes HxW";
  f.ops = std::move(names);
  out.findings.push_back(std::move(f));
}

int rank(const Finding& f) { return f.severity == "error" ? 0 : f.severity == "warn" ? 1 : 2; }

std::string quoted(const std::string& path) {
  const bool plain = std::all_of(path.begin(), path.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("/._-+=@,:").find(c) != std::string_view::npos;
  });
  if (plain && !path.empty()) return path;
  std::string out = "'";
  for (const char c : path) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

void replace_all(std::string& text, std::string_view word, const std::string& by) {
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + by.size()))
    text.replace(at, word.size(), by);
}

/// The command with the names of this model in it; empty where it asks for a size and no input is a map.
std::string concrete(std::string command, const Model& model, const Analysis& out) {
  const std::string own = model.path.extension() == ".mlpackage" ? "-ane" : "";
  std::filesystem::path stem = model.path.lexically_normal();
  if (stem.filename().empty()) stem = stem.parent_path();
  if (command.find("HxW") != std::string::npos) {
    const auto map = std::find_if(out.inputs.begin(), out.inputs.end(), [](const FeatureSummary& input) {
      return (input.kind == "image" || input.shape.size() == 4) && input.shape.size() >= 2;
    });
    if (map == out.inputs.end()) return {};
    const std::int64_t height = map->shape[map->shape.size() - 2], width = map->shape[map->shape.size() - 1];
    if (height > 1 && width > 1) replace_all(command, "HxW", fmt::format("{}x{}", height, width));
  }
  // The placeholders become marks first: a path may contain them.
  replace_all(command, "OUT.mlpackage", "\x01");
  replace_all(command, "MODEL", "\x02");
  replace_all(command, "\x01", quoted(stem.stem().string() + own + ".mlpackage"));
  replace_all(command, "\x02", quoted(model.path.string()));
  return command;
}

}  // namespace

void conclude(const Model& model, Analysis& out) {
  weight_hazards(out);
  dynamic_operations(out);
  dead_weights(model, out);
  output_choices(out);
  std::stable_sort(out.findings.begin(), out.findings.end(), [](const Finding& a, const Finding& b) {
    const double x = a.cost_us.value_or(0), y = b.cost_us.value_or(0);
    return x != y ? x > y : rank(a) < rank(b);
  });
  const auto advise = [&](std::string command, std::string why) {
    command = concrete(std::move(command), model, out);
    if (command.empty()) return;
    const bool known =
        std::any_of(out.advice.begin(), out.advice.end(), [&](const Advice& a) { return a.command == command; });
    if (!known) out.advice.push_back({std::move(command), std::move(why)});
  };
  if (model.is_checkpoint())
    advise("anemone convert MODEL -o OUT.mlpackage",
           "an fp16 package without what never runs, norms folded into convolutions");
  for (Finding& f : out.findings) {
    if (f.command.empty()) continue;
    advise(f.command, f.code + ": " + f.message);
    f.command = concrete(f.command, model, out);
  }
  if (model.is_checkpoint())
    advise("anemone verify OUT.mlpackage --against MODEL", "that the package computes the same");
  advise("anemone plan MODEL", "where each operation would run, and what that costs");
}

}  // namespace anemone::toolchain::analysis
