// Analyses as text: aligned, at most 100 columns; colour marks the severity of findings and what the engine refuses.
#include "anemone/report/analysis_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "anemone/report/words.h"
#include "anemone/support/utf8.h"

namespace anemone::report {
namespace {

using toolchain::Analysis;

constexpr std::size_t kWidth = 100;

class Text {
 public:
  explicit Text(bool color) : color_(color) {}

  void heading(std::string_view title) { out_ += '\n' + paint("1", std::string(title)) + '\n'; }
  /// "  label      text", the text wrapped.
  void field(std::string_view label, const std::string& text) {
    out_ += fmt::format("  {:<12} {}\n", label, wrapped(text, 15, kWidth));
  }
  void line(const std::string& text) {
    std::string kept = text;
    kept.erase(kept.find_last_not_of(' ') + 1);
    out_ += fitted(kept, kWidth) + '\n';
  }
  void raw(const std::string& text) { out_ += text; }
  std::string paint(std::string_view code, const std::string& text) const {
    return color_ ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : text;
  }
  std::string take() { return std::move(out_); }

 private:
  bool color_;
  std::string out_;
};

/// Nothing instead of 0: most kinds multiply nothing.
std::string work_count(std::int64_t macs) { return macs == 0 ? std::string() : short_count(macs); }

std::string ane_color(const std::string& ane) {
  return ane == "compatible" ? "32" : ane == "incompatible" ? "31" : "33";
}

void summary(Text& text, const Analysis& a) {
  text.raw(wrapped(fmt::format("{}: {}", a.model, a.title), 2, kWidth) + '\n');
  text.field("format", a.format);
  const auto& p = a.parameters;
  std::string parameters = fmt::format("{} ({} as fp32, {} as fp16)", grouped(p.total), mebibytes(a.fp32_bytes()),
                                       mebibytes(a.fp16_bytes()));
  if (p.dead > 0) parameters += fmt::format("; {} run, {} never do", grouped(p.live), grouped(p.dead));
  text.field("parameters", parameters);
  if (a.layers.modules) text.field("modules", grouped(a.layers.total));
  if (a.has_program) {
    std::string work = grouped(a.macs);
    if (a.fixed_macs > 0) work += fmt::format(", and {} of matrices that are not trained", grouped(a.fixed_macs));
    text.field("MACs", work);
    text.field("operations", grouped(a.ops.total));
    text.field("peak memory",
               fmt::format("{} of activations, during '{}'", mebibytes(a.peak.bytes), escaped(a.peak.at)));
  }
  for (std::size_t i = 0; i < a.inputs.size(); ++i)
    text.field(i == 0 ? "inputs" : "", fmt::format("{} ({})", escaped(a.inputs[i].name), shape_words(a.inputs[i])));
  for (std::size_t i = 0; i < std::min<std::size_t>(a.outputs.size(), 16); ++i)
    text.field(i == 0 ? "outputs" : "", fmt::format("{} ({})", escaped(a.outputs[i].name), shape_words(a.outputs[i])));
  if (a.outputs.size() > 16) text.field("", fmt::format("… and {} more", a.outputs.size() - 16));
}

void kinds(Text& text, const Analysis& a) {
  text.heading(a.layers.modules ? "layers by kind" : "operations by kind");
  text.line(fmt::format("  {:<14} {:>7} {:>6} {:>10}  {}", "kind", a.layers.modules ? "modules" : "", "ops", "MACs",
                        a.engine ? "Neural Engine" : ""));
  for (const toolchain::LayerKind& k : a.layers.composition) {
    const std::string modules = a.layers.modules ? grouped(k.modules) : "";
    const std::string start = fmt::format("  {:<14} {:>7} {:>6} {:>10}  ", k.kind, modules, k.ops, work_count(k.macs));
    if (k.engine.ane.empty()) {
      text.line(start);
      continue;
    }
    std::string why = k.engine.ane;
    if (k.engine.ane != "compatible")
      why += fmt::format(", {} of {} taken; {}", k.engine.taken, k.engine.ops, k.engine.code);
    if (!k.engine.reason.empty()) why += ": " + k.engine.reason;
    if (!k.engine.trust.empty()) why += fmt::format(" ({})", k.engine.trust);
    why = wrapped(why, columns(start), kWidth);
    why.replace(0, k.engine.ane.size(), text.paint(ane_color(k.engine.ane), k.engine.ane));
    text.raw(start + why + '\n');
  }
  if (a.layers.modules)
    text.line(fmt::format("  {:<14} {:>7} {:>6} {:>10}", "total", grouped(a.layers.total), a.ops.total,
                          work_count(a.macs + a.fixed_macs)));
  if (!a.layers.note.empty()) text.raw("  " + wrapped(a.layers.note, 2, kWidth) + '\n');
  std::vector<std::pair<std::string, std::int64_t>> rows(a.layers.by_type.begin(), a.layers.by_type.end());
  std::stable_sort(rows.begin(), rows.end(), [](const auto& x, const auto& y) { return x.second > y.second; });
  std::string classes;
  for (const auto& [type, count] : rows) classes += fmt::format("{}{} {}", classes.empty() ? "" : ", ", count, type);
  text.field(a.layers.modules ? "by class" : "by type", classes);
  if (!a.layers.modules || a.ops.by_type.empty()) return;
  rows.assign(a.ops.by_type.begin(), a.ops.by_type.end());
  std::stable_sort(rows.begin(), rows.end(), [](const auto& x, const auto& y) { return x.second > y.second; });
  std::string types;
  for (const auto& [type, count] : rows)
    types += fmt::format("{}{} {}", types.empty() ? "" : ", ", count, escaped(type));
  text.field("operations", types);
}

void outputs(Text& text, const Analysis& a) {
  if (a.output_choices.empty()) return;
  text.heading("what each choice of outputs needs");
  for (const toolchain::OutputChoice& c : a.output_choices) {
    text.line(fmt::format("  {:<8} {:>3} outputs {:>5} ops  {:>14} MACs + {:>10} fixed; {:>9} parameters more dead",
                          c.name, c.outputs, c.ops, grouped(c.macs), grouped(c.fixed_macs),
                          grouped(c.parameters_dead)));
    if (!c.dead_modules.empty())
      text.raw("             " + wrapped("dead: " + joined(c.dead_modules, 6), 13, kWidth) + '\n');
  }
  if (!a.dead_modules.empty())
    text.raw(
        "  " +
        wrapped("never runs, whatever the choice: " + joined(a.dead_modules, 6) + " (--json names all)", 2, kWidth) +
        '\n');
}

void work(Text& text, const std::string& title, const std::vector<toolchain::WorkRow>& rows, std::size_t most,
          std::int64_t macs) {
  if (rows.empty()) return;
  text.heading(title);
  text.line(fmt::format("  {:<28} {:>6} {:>10} {:>6} {:>12} {:>14}", "", "ops", "MACs", "", "weights", "written"));
  for (std::size_t i = 0; i < std::min(most, rows.size()); ++i) {
    const toolchain::WorkRow& r = rows[i];
    const std::string share =
        macs > 0 && r.macs > 0 ? fmt::format("{:.1f}%", 100.0 * static_cast<double>(r.macs) / static_cast<double>(macs))
                               : "";
    text.line(fmt::format("  {:<28} {:>6} {:>10} {:>6} {:>12} {:>14}", fitted(r.name, 28), r.ops, short_count(r.macs),
                          share, mebibytes(r.weight_bytes), mebibytes(r.activation_bytes)));
  }
  if (rows.size() > most) text.line(fmt::format("  … and {} more (--json has all)", rows.size() - most));
}

void tensors(Text& text, const std::string& label, const std::vector<toolchain::TensorRow>& rows) {
  for (std::size_t i = 0; i < std::min<std::size_t>(3, rows.size()); ++i)
    text.line(fmt::format("  {:<12} {:>9}  {:<24} {} ({})", i == 0 ? label : "", mebibytes(rows[i].bytes), rows[i].type,
                          escaped(rows[i].name), rows[i].made_by));
}

void groups(Text& text, const std::string& label, const std::vector<toolchain::OpGroup>& list) {
  for (std::size_t i = 0; i < std::min<std::size_t>(6, list.size()); ++i)
    text.line(fmt::format("  {:<12} {:>5}  {}: {}", i == 0 ? label : "", list[i].ops.size(), list[i].what,
                          joined(list[i].ops, 3)));
  if (list.size() > 6) text.line(fmt::format("  {:<12} … and {} more kinds", "", list.size() - 6));
}

void findings(Text& text, const Analysis& a) {
  if (!a.findings.empty()) text.heading("findings, the most expensive first");
  for (const plan::Finding& f : a.findings) {
    const std::string color = f.severity == "error" ? "31" : f.severity == "warn" ? "33" : "36";
    const std::string cost = f.cost_us && *f.cost_us > 0 ? fmt::format("about {:.0f} us: ", *f.cost_us) : "";
    text.raw(fmt::format("  {} {}\n", text.paint(color, fmt::format("{:<5}", f.severity)),
                         wrapped(fmt::format("{} {}{} ({})", f.code, cost, f.message, name(f.trust)), 8, kWidth)));
    if (!f.ops.empty()) text.line(fmt::format("{:>8}at: {}", "", joined(f.ops, 3)));
    if (!f.instead.empty()) text.raw(fmt::format("{:>8}{}\n", "", wrapped("instead: " + f.instead, 8, kWidth)));
  }
  if (!a.advice.empty()) text.heading("next");
  for (const toolchain::Advice& advice : a.advice) {
    text.raw(fmt::format("  {}\n", escaped(advice.command)));  // never cut: it is there to be copied
    text.raw(fmt::format("      {}\n", wrapped(advice.why, 6, kWidth)));
  }
  for (const std::string& note : a.notes) text.raw(wrapped("note: " + note, 6, kWidth) + '\n');
}

void prefixes(Text& text, const Analysis& a) {
  if (a.groups.empty()) return;
  text.heading("tensors by prefix");
  text.line(fmt::format("  {:<28} {:>7} {:>12}  {}", "prefix", "tensors", "parameters", "guessed layers; types"));
  for (std::size_t i = 0; i < std::min<std::size_t>(a.groups.size(), 40); ++i) {
    const toolchain::TensorGroup& g = a.groups[i];
    std::string what;
    for (const auto& [layer, count] : g.layers) what += fmt::format("{}{} {}", what.empty() ? "" : ", ", count, layer);
    what += ';';
    for (const auto& [dtype, count] : g.dtypes) what += ' ' + dtype;
    text.line(fmt::format("  {:<28} {:>7} {:>12}  {}", fitted(g.prefix, 28), g.tensors, grouped(g.parameters), what));
  }
  if (a.groups.size() > 40) text.line(fmt::format("  … and {} more", a.groups.size() - 40));
  text.heading("what a conversion would need");
  for (const std::string& need : a.needed) text.raw("  " + wrapped(need, 2, kWidth) + '\n');
}

std::string tree(const Analysis& a, std::size_t depth) {
  Text text(false);
  if (!a.layers.modules) {
    text.line("a program has no modules; 'anemone print' shows its operations");
    return text.take();
  }
  text.line(fmt::format("{:<38} {:<14} {:>11} {:>9}  {}", "module", "weight", "parameters", "MACs", "class"));
  for (const toolchain::ModuleRow& row : a.tree) {
    if (row.depth > depth) continue;
    const std::string leaf = row.path.empty() ? "(network)" : row.path.substr(row.path.rfind('.') + 1);
    std::string weight;
    for (std::size_t i = 0; i < row.weight.size(); ++i) weight += fmt::format("{}{}", i ? "x" : "", row.weight[i]);
    const bool dead = row.parameters > 0 && row.live == 0;
    text.line(fmt::format("{:<38} {:<14} {:>11} {:>9}  {}{}",
                          fitted(std::string(2 * std::min<std::size_t>(row.depth, 20), ' ') + leaf, 38), weight,
                          row.parameters > 0 ? grouped(row.parameters) : "", row.macs > 0 ? short_count(row.macs) : "",
                          row.type, dead ? ", never runs" : ""));
  }
  return text.take();
}

}  // namespace

std::string analysis_text(const Analysis& a, const AnalysisText& how) {
  if (how.tree) return tree(a, how.depth);
  Text text(how.color);
  summary(text, a);
  kinds(text, a);
  outputs(text, a);
  prefixes(text, a);
  if (a.engine) {
    text.heading(fmt::format("Neural Engine of {}, a prediction", a.engine->device));
    text.field("placement",
               fmt::format("{} of {} operations ({:.1f} %) in {} segments; {} could be there", a.engine->on_ane,
                           a.engine->ops, a.engine->coverage_percent, a.engine->partitions, a.engine->supported));
    text.field("latency", milliseconds(a.engine->latency.low, a.engine->latency.high) + " ms a call");
    text.field("judged", a.engine->basis);
  }
  if (a.has_program) {
    work(text, "work by kind of operation", a.by_kind, 8, a.macs + a.fixed_macs);
    work(text, "work by stage (" + a.stage_basis + ")", a.by_stage, 16, a.macs + a.fixed_macs);
    text.heading("what stands out");
    tensors(text, "weights", a.largest_weights);
    tensors(text, "activations", a.largest_activations);
    tensors(text, "at the peak", a.peak.live);
    groups(text, "dynamic", a.dynamic);
    groups(text, "resampling", a.interpolation);
    groups(text, "concats", a.concats);
    groups(text, "pads", a.pads);
    groups(text, "layout", a.layouts);
    if (!a.weights.done)
      text.field("weights", fmt::format("{} were not read; '--scan-weights' does", mebibytes(a.weights.bytes)));
  }
  findings(text, a);
  return text.take();
}

}  // namespace anemone::report
