// Analyses as text: what decides first, the tables behind. Lines have any length: page.h folds and paints them.
#include "anemone/report/analysis_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "anemone/report/words.h"
#include "anemone/support/utf8.h"

namespace anemone::report {
namespace {

using toolchain::Analysis;

class Text {
 public:
  void heading(std::string_view title) { out_ += fmt::format("\n{}\n", title); }
  /// "  label      text".
  void field(std::string_view label, const std::string& text) { line(fmt::format("  {:<12} {}", label, text)); }
  void line(std::string text) {
    text.erase(text.find_last_not_of(' ') + 1);
    out_ += escaped(text) + '\n';
  }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

std::string bytes_words(std::int64_t bytes) {
  return megabytes(static_cast<std::uint64_t>(std::max<std::int64_t>(bytes, 0)));
}

/// Nothing instead of 0: most kinds multiply nothing.
std::string work_count(std::int64_t macs) { return macs == 0 ? std::string() : short_count(macs); }

// "12 warnings, 3 notes".
std::string finding_counts(const Analysis& a) {
  std::string out;
  for (const auto& [severity, word] : {std::pair{"error", "error"}, {"warn", "warning"}, {"info", "note"}}) {
    const std::int64_t n =
        std::count_if(a.findings.begin(), a.findings.end(),
                      [severity = severity](const plan::Finding& f) { return f.severity == severity; });
    if (n > 0) out += fmt::format("{}{}", out.empty() ? "" : ", ", counted(n, word));
  }
  return out.empty() ? "none" : out;
}

void summary(Text& text, const Analysis& a, bool full) {
  text.line(fmt::format("{}: {} ({})", a.model, a.title, a.format));
  const auto& p = a.parameters;
  std::string size = fmt::format("{} parameters: {} as fp32, {} as fp16", grouped(p.total),
                                 megabytes(static_cast<std::uint64_t>(a.fp32_bytes())),
                                 megabytes(static_cast<std::uint64_t>(a.fp16_bytes())));
  if (p.dead > 0) size += fmt::format("; {} never run", grouped(p.dead));
  text.field("size", size);
  if (a.has_program) {
    std::string work = fmt::format("{} MACs", short_count(a.macs));
    if (a.fixed_macs > 0) work += fmt::format(" and {} of matrices that are not trained", short_count(a.fixed_macs));
    work += ", " + counted(a.ops.total, "operation");
    if (a.layers.modules) work += fmt::format(" of {}", counted(a.layers.total, "module"));
    text.field("work", work);
    text.field("memory", fmt::format("{} of activations at the peak, during '{}'",
                                     megabytes(static_cast<std::uint64_t>(a.peak.bytes)), a.peak.at));
  }
  const std::size_t most = full ? 16 : 2;
  const auto features = [&](std::string_view label, const std::vector<toolchain::FeatureSummary>& list) {
    std::string out;
    for (std::size_t i = 0; i < std::min(most, list.size()); ++i)
      out += fmt::format("{}{} ({})", out.empty() ? "" : ", ", escaped(list[i].name), shape_words(list[i]));
    if (list.size() > most) out += fmt::format(" and {} more", list.size() - most);
    if (!out.empty()) text.field(label, out);
  };
  features("inputs", a.inputs);
  features("outputs", a.outputs);
  if (a.engine) {
    const toolchain::EngineView& e = *a.engine;
    text.field("engine", fmt::format("{} of {} on the Neural Engine of {} ({:.1f} %) in {}, {} ms a call: a prediction",
                                     e.on_ane, counted(e.ops, "operation"), e.device, e.coverage_percent,
                                     counted(static_cast<std::int64_t>(e.partitions), "segment"),
                                     milliseconds(e.latency.low, e.latency.high)));
  }
  text.field("findings", finding_counts(a) + (full || a.findings.empty() ? "" : "; '--full' shows them"));
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
    text.line(start + why);
  }
  if (a.layers.modules)
    text.line(fmt::format("  {:<14} {:>7} {:>6} {:>10}", "total", grouped(a.layers.total), a.ops.total,
                          work_count(a.macs + a.fixed_macs)));
  if (!a.layers.note.empty()) text.line("  " + a.layers.note);
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
  text.line(fmt::format("  {:<8} {:>7} {:>5} {:>16} {:>14} {:>12}", "choice", "outputs", "ops", "MACs", "fixed MACs",
                        "further dead"));
  for (const toolchain::OutputChoice& c : a.output_choices) {
    text.line(fmt::format("  {:<8} {:>7} {:>5} {:>16} {:>14} {:>12}", c.name, c.outputs, c.ops, grouped(c.macs),
                          grouped(c.fixed_macs), grouped(c.parameters_dead)));
    if (!c.dead_modules.empty()) text.line("             dead: " + joined(c.dead_modules, 6));
  }
  if (!a.dead_modules.empty())
    text.line("  never runs, whatever the choice: " + joined(a.dead_modules, 6) + " (--json names all)");
}

void work(Text& text, const std::string& title, const std::vector<toolchain::WorkRow>& rows, std::size_t most,
          std::int64_t macs) {
  if (rows.empty()) return;
  text.heading(title);
  text.line(fmt::format("  {:<26} {:>5} {:>9} {:>6} {:>9} {:>9}", "", "ops", "MACs", "", "weights", "written"));
  for (std::size_t i = 0; i < std::min(most, rows.size()); ++i) {
    const toolchain::WorkRow& r = rows[i];
    const std::string share =
        macs > 0 && r.macs > 0 ? fmt::format("{:.1f}%", 100.0 * static_cast<double>(r.macs) / static_cast<double>(macs))
                               : "";
    text.line(fmt::format("  {:<26} {:>5} {:>9} {:>6} {:>9} {:>9}", fitted(r.name, 26), r.ops, short_count(r.macs),
                          share, bytes_words(r.weight_bytes), bytes_words(r.activation_bytes)));
  }
  if (rows.size() > most) text.line(fmt::format("  … and {} more (--json has all)", rows.size() - most));
}

void tensors(Text& text, const std::string& label, const std::vector<toolchain::TensorRow>& rows) {
  for (std::size_t i = 0; i < std::min<std::size_t>(3, rows.size()); ++i)
    text.line(fmt::format("  {:<12} {:>9}  {:<24} {} ({})", i == 0 ? label : "", bytes_words(rows[i].bytes),
                          rows[i].type, escaped(rows[i].name), rows[i].made_by));
}

void groups(Text& text, const std::string& label, const std::vector<toolchain::OpGroup>& list) {
  for (std::size_t i = 0; i < std::min<std::size_t>(6, list.size()); ++i)
    text.line(fmt::format("  {:<12} {:>5}  {}: {}", i == 0 ? label : "", list[i].ops.size(), list[i].what,
                          joined(list[i].ops, 3)));
  if (list.size() > 6) text.line(fmt::format("  {:<12} … and {} more kinds", "", list.size() - 6));
}

void findings(Text& text, const Analysis& a, bool full) {
  if (full && !a.findings.empty()) text.heading("findings, the most expensive first");
  for (const plan::Finding& f : a.findings) {
    if (!full) break;
    const std::string cost = f.cost_us && *f.cost_us > 0 ? fmt::format("about {:.0f} us: ", *f.cost_us) : "";
    text.line(fmt::format("  {:<5}  {} {}{} ({})", f.severity, f.code, cost, f.message, name(f.trust)));
    if (!f.ops.empty()) text.line(fmt::format("{:>9}at: {}", "", joined(f.ops, 3)));
    if (!f.instead.empty())
      text.line(fmt::format("{:>9}instead: {}{}", "", f.instead,
                            f.command.empty() && f.severity != "info" ? " (no command does it)" : ""));
  }
  const auto advise = [&](bool alternative) {
    for (const toolchain::Advice& advice : a.advice) {
      if (advice.alternative != alternative) continue;
      text.line("  " + advice.command);  // never cut: it is there to be copied
      text.line("      " + advice.why + (advice.effect.empty() ? "" : ": " + advice.effect));
    }
  };
  const auto any = [&](bool alternative) {
    return std::any_of(a.advice.begin(), a.advice.end(), [&](const auto& x) { return x.alternative == alternative; });
  };
  if (a.has_program && a.engine && a.advice.empty()) {
    text.heading("next");
    text.line(
        "  nothing: no conversion that the findings suggest makes the plan better; 'anemone plan' has the details");
  }
  if (any(false)) text.heading("next");
  advise(false);
  if (any(true)) text.heading("only if that suits the application");
  advise(true);
  for (const std::string& note : a.notes) text.line("note: " + note);
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
  for (const std::string& need : a.needed) text.line("  " + need);
}

std::string tree(const Analysis& a, std::size_t depth) {
  Text text;
  if (!a.layers.modules) {
    text.line("a program has no modules; 'anemone print' shows its operations");
    return text.take();
  }
  text.line(fmt::format("{:<28} {:<12} {:>11} {:>8}  {}", "module", "weight", "parameters", "MACs", "class"));
  for (const toolchain::ModuleRow& row : a.tree) {
    if (row.depth > depth) continue;
    const std::string leaf = row.path.empty() ? "(network)" : row.path.substr(row.path.rfind('.') + 1);
    std::string weight;
    for (std::size_t i = 0; i < row.weight.size(); ++i) weight += fmt::format("{}{}", i ? "x" : "", row.weight[i]);
    const bool dead = row.parameters > 0 && row.live == 0;
    text.line(fmt::format("{:<28} {:<12} {:>11} {:>8}  {}{}",
                          fitted(std::string(2 * std::min<std::size_t>(row.depth, 20), ' ') + leaf, 28), weight,
                          row.parameters > 0 ? grouped(row.parameters) : "", row.macs > 0 ? short_count(row.macs) : "",
                          row.type, dead ? ", never runs" : ""));
  }
  return text.take();
}

}  // namespace

std::string analysis_text(const Analysis& a, const AnalysisText& how) {
  if (how.tree) return tree(a, how.depth);
  Text text;
  const bool full = how.full || !a.has_program;  // without a program there is little more
  summary(text, a, full);
  if (full) {
    kinds(text, a);
    outputs(text, a);
    prefixes(text, a);
    if (a.engine) text.field("judged", a.engine->basis);
  }
  if (full && a.has_program) {
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
      text.field("weights", fmt::format("{} were not read; '--scan-weights' does",
                                        megabytes(static_cast<std::uint64_t>(a.weights.bytes))));
  }
  findings(text, a, full);
  return text.take();
}

}  // namespace anemone::report
