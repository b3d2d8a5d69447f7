// What the analysis itself found, the order of all findings, and the commands that help.
#include <fmt/format.h>

#include <algorithm>

#include "anemone/support/text.h"
#include "anemone/toolchain/advice.h"
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
  Finding f = finding(
      "dead-weights", "info",
      fmt::format(
          "{} of {} parameters never run ({})", grouped(out.parameters.dead), grouped(out.parameters.total),
          counted(static_cast<std::int64_t>(out.dead_modules.size()), model.is_checkpoint() ? "module" : "constant")));
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
                fmt::format("the outputs '{}' alone need {} MACs less than all, and {} further parameters never run",
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

void weight_hazards(const Model& model, Analysis& out) {
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
    const bool folded = model.is_checkpoint() && !overflows_when_converted(model);
    Finding f = finding("weights-overflow", folded ? "info" : "error",
                        fmt::format("{} beyond fp16's largest value, 65504 (the largest is {:.4g})",
                                    t.overflow == 1 ? "1 weight is" : grouped(t.overflow) + " weights are", t.largest));
    f.instead = folded ? "nothing: the conversion folds them into convolutions, which stay within fp16"
                       : "scale the layer, or keep fp32";
    if (!folded) f.command = "anemone convert MODEL -o OUT.mlpackage --precision fp32";
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
                      fmt::format("{} known only at run time ({}{})",
                                  count == 1 ? "1 operation depends on a shape that is"
                                             : fmt::format("{} operations depend on shapes that are", count),
                                  out.dynamic[0].what, out.dynamic.size() > 1 ? ", …" : ""));
  f.instead = "fix the size, or list the sizes";
  f.command = "anemone convert MODEL -o OUT.mlpackage --shapes HxW";
  f.ops = std::move(names);
  out.findings.push_back(std::move(f));
}

int rank(const Finding& f) { return f.severity == "error" ? 0 : f.severity == "warn" ? 1 : 2; }

}  // namespace

void conclude(const Model& model, const AnalyzeRequest& request, Analysis& out) {
  weight_hazards(model, out);
  dynamic_operations(out);
  dead_weights(model, out);
  output_choices(out);
  std::stable_sort(out.findings.begin(), out.findings.end(), [](const Finding& a, const Finding& b) {
    const double x = a.cost_us.value_or(0), y = b.cost_us.value_or(0);
    return x != y ? x > y : rank(a) < rank(b);
  });
  advise(model, request, out);
}

}  // namespace anemone::toolchain::analysis
