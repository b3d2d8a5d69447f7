// One row a finding of analyze_findings.cpp, which says the numbers.
#include "anemone/toolchain/analysis_rules.h"

#include <array>

namespace anemone::toolchain {
namespace {

using plan::Effect, plan::RuleText, plan::Trust;

constexpr std::string_view kCounted = "counted in the file";

constexpr RuleText row(std::string_view code, std::string_view severity, Effect effect, std::string_view what,
                       std::string_view why, std::string_view instead, std::string_view command) {
  return {.code = code,
          .name = code,
          .what = what,
          .why = why,
          .instead = instead,
          .effect = effect,
          .severity = severity,
          .trust = Trust::computed,
          .source = kCounted,
          .command = command};
}

constexpr std::array kRules{
    row("dead-weights", "info", Effect::slower, "parameters that no output needs",
        "they fill the checkpoint, and were left there by training: auxiliary branches, layers that are skipped",
        "convert: what never runs is left out", "anemone convert MODEL -o OUT.mlpackage"),
    row("unneeded-outputs", "info", Effect::slower,
        "outputs that an application seldom asks for cost work of their own",
        "each output has to be computed, stored and handed over in every call",
        "ask only for the outputs that are used", "anemone convert MODEL -o OUT.mlpackage --outputs final"),
    row("weights-not-read", "info", Effect::hazard, "more than 256 MB of weights were not read for hazards",
        "reading them takes seconds, and most questions do not need it", "read them: memory stays bounded",
        "anemone analyze MODEL --scan-weights"),
    row("weights-not-finite", "error", Effect::hazard, "weights that are infinite or NaN",
        "whatever they touch becomes NaN, on every device", "export the model again from a sound checkpoint", ""),
    row("weights-overflow", "error", Effect::hazard, "weights beyond fp16's largest value, 65504",
        "in fp16 they are infinite; statistics of a batch norm that is folded into a convolution are harmless",
        "scale the layer, or keep fp32, which leaves the engine",
        "anemone convert MODEL -o OUT.mlpackage --precision fp32"),
    row("weights-subnormal", "info", Effect::hazard, "weights below fp16's normal range, 6.1e-5",
        "they lose digits, or become 0; an engine may flush all of them to 0",
        "nothing, as long as the outputs agree; else move scales out of the weights",
        "anemone verify OUT.mlpackage --against MODEL"),
    row("dynamic-shapes", "warn", Effect::leaves_engine, "operations whose shapes are known only at run time",
        "the engine compiles for fixed shapes", "fix the size, or list the sizes",
        "anemone convert MODEL -o OUT.mlpackage --shapes HxW"),
};

}  // namespace

std::span<const plan::RuleText> analysis_rules() { return kRules; }

}  // namespace anemone::toolchain
