// A page of findings in Markdown.
#include "anemone/report/analysis_markdown.h"

#include <fmt/format.h>

#include "anemone/report/words.h"
#include "anemone/support/utf8.h"

namespace anemone::report {
namespace {

/// Text of a table cell: names come from files and may hold anything.
std::string cell(const std::string& text) {
  std::string out;
  for (const char c : escaped(text)) {
    if (c == '|')
      out += "\\|";
    else if (c == '<')
      out += "&lt;";
    else
      out += c;
  }
  return out;
}

void table_of_kinds(std::string& out, const toolchain::Analysis& a) {
  out += a.layers.modules ? "\n## Layers\n\n| kind | modules | operations | MACs | Neural Engine | why | evidence |\n"
                            "|---|--:|--:|--:|---|---|---|\n"
                          : "\n## Operations\n\n| kind | | operations | MACs | Neural Engine | why | evidence |\n"
                            "|---|--:|--:|--:|---|---|---|\n";
  for (const toolchain::LayerKind& k : a.layers.composition) {
    std::string why = k.engine.reason;
    if (k.engine.ane != "compatible" && !k.engine.ane.empty())
      why = fmt::format("{} of {} taken; {}: {}", k.engine.taken, k.engine.ops, k.engine.code, why);
    out += fmt::format("| {} | {} | {} | {} | {} | {} | {} |\n", k.kind, a.layers.modules ? grouped(k.modules) : "",
                       k.ops, grouped(k.macs), k.engine.ane, cell(why), k.engine.trust);
  }
  if (!a.layers.note.empty()) out += fmt::format("\n{}.\n", cell(a.layers.note));
}

void groups(std::string& out, std::string_view label, const std::vector<toolchain::OpGroup>& list) {
  for (const toolchain::OpGroup& g : list)
    out += fmt::format("| {} | {} | {} | {} |\n", label, cell(g.what), g.ops.size(), cell(joined(g.ops, 5)));
}

}  // namespace

std::string analysis_markdown(const toolchain::Analysis& a) {
  std::string out = fmt::format("# Findings on {}\n\n{}, {}.\n\n", cell(a.model), cell(a.title), a.format);
  out += "| | |\n|---|--:|\n";
  out += fmt::format("| parameters | {} |\n| that run | {} |\n| that never run | {} |\n", grouped(a.parameters.total),
                     grouped(a.parameters.live), grouped(a.parameters.dead));
  out +=
      fmt::format("| bytes as fp32 | {} |\n| bytes as fp16 | {} |\n", grouped(a.fp32_bytes()), grouped(a.fp16_bytes()));
  if (a.layers.modules) out += fmt::format("| modules | {} |\n", grouped(a.layers.total));
  if (a.has_program) {
    out += fmt::format("| multiply-accumulates | {} |\n| operations | {} |\n| peak bytes of activations | {} |\n",
                       grouped(a.macs), grouped(a.ops.total), grouped(a.peak.bytes));
  }
  if (a.engine) {
    out += fmt::format("| operations on the Neural Engine of {} (predicted) | {} of {} |\n", a.engine->device,
                       a.engine->on_ane, a.engine->ops);
  }
  out += "\n## Findings\n\n";
  if (a.findings.empty()) out += "None.\n";
  for (const plan::Finding& f : a.findings) {
    out += fmt::format("- **{}** ({}, evidence: {}): {}", f.code, f.severity, name(f.trust), cell(f.message));
    if (f.cost_us && *f.cost_us > 0) out += fmt::format("; about {:.0f} µs", *f.cost_us);
    if (!f.ops.empty()) out += fmt::format(". At {}", cell(joined(f.ops, 5)));
    if (!f.instead.empty()) out += fmt::format(". Instead: {}", cell(f.instead));
    out += ".\n";
  }
  if (!a.advice.empty()) out += "\n## What to do\n\n";
  for (const toolchain::Advice& x : a.advice) out += fmt::format("- `{}`: {}\n", x.command, cell(x.why));
  if (!a.layers.composition.empty()) table_of_kinds(out, a);
  if (!a.groups.empty()) {
    out += "\n## Tensors\n\n| prefix | tensors | parameters |\n|---|--:|--:|\n";
    for (const toolchain::TensorGroup& g : a.groups)
      out += fmt::format("| {} | {} | {} |\n", cell(g.prefix), g.tensors, grouped(g.parameters));
    out += "\nTo convert it:\n\n";
    for (const std::string& need : a.needed) out += "- " + need + "\n";
  }
  if (!a.output_choices.empty()) {
    out +=
        "\n## Outputs\n\n| choice | outputs | operations | MACs | parameters dead in addition "
        "|\n|---|--:|--:|--:|--:|\n";
    for (const toolchain::OutputChoice& c : a.output_choices)
      out += fmt::format("| {} | {} | {} | {} | {} |\n", c.name, c.outputs, c.ops, grouped(c.macs + c.fixed_macs),
                         grouped(c.parameters_dead));
  }
  if (!a.by_stage.empty()) {
    out += fmt::format(
        "\n## Stages ({})\n\n| stage | operations | MACs | bytes of weights | bytes written |\n|---|--:|--:|--:|--:|\n",
        a.stage_basis);
    for (const toolchain::WorkRow& r : a.by_stage)
      out += fmt::format("| {} | {} | {} | {} | {} |\n", cell(r.name), r.ops, grouped(r.macs), grouped(r.weight_bytes),
                         grouped(r.activation_bytes));
  }
  if (!(a.dynamic.empty() && a.interpolation.empty() && a.concats.empty() && a.pads.empty() && a.layouts.empty())) {
    out += "\n## Patterns\n\n| | what | operations | where |\n|---|---|--:|---|\n";
    groups(out, "dynamic", a.dynamic);
    groups(out, "resampling", a.interpolation);
    groups(out, "concat", a.concats);
    groups(out, "pad", a.pads);
    groups(out, "layout", a.layouts);
  }
  if (!a.notes.empty()) out += "\n## Notes\n\n";
  for (const std::string& note : a.notes) out += "- " + cell(note) + "\n";
  return out;
}

}  // namespace anemone::report
