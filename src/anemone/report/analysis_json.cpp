// Analyses as JSON, with the keys of the contract. Keys are only ever added.
#include "anemone/report/analysis_json.h"

#include "anemone/report/json_parts.h"

namespace anemone::report {
namespace {

using toolchain::Analysis;

Json composition(const Analysis& a) {
  Json out = Json::array();
  for (const toolchain::LayerKind& k : a.layers.composition) {
    Json j{{"kind", k.kind}, {"modules", k.modules}, {"ops", k.ops}};
    j["ane"] = k.engine.ane.empty() ? Json(nullptr) : Json(k.engine.ane);
    j["macs"] = k.macs;
    j["judged"] = {{"ops", k.engine.ops}, {"supported", k.engine.taken}};
    j["code"] = k.engine.code;
    j["reason"] = k.engine.reason;
    j["trust"] = k.engine.trust;
    out.push_back(std::move(j));
  }
  return out;
}

Json work(const std::vector<toolchain::WorkRow>& rows) {
  Json out = Json::array();
  for (const toolchain::WorkRow& r : rows) {
    out.push_back({{"name", r.name},
                   {"ops", r.ops},
                   {"macs", r.macs},
                   {"weight_bytes", r.weight_bytes},
                   {"activation_bytes", r.activation_bytes}});
  }
  return out;
}

Json tensors(const std::vector<toolchain::TensorRow>& rows) {
  Json out = Json::array();
  for (const toolchain::TensorRow& r : rows)
    out.push_back({{"name", r.name}, {"type", r.type}, {"made_by", r.made_by}, {"bytes", r.bytes}});
  return out;
}

Json groups(const std::vector<toolchain::OpGroup>& list) {
  Json out = Json::array();
  for (const toolchain::OpGroup& g : list) out.push_back({{"what", g.what}, {"count", g.ops.size()}, {"ops", g.ops}});
  return out;
}

Json scanned(const toolchain::ScannedTensor& t) {
  return {{"elements", t.elements}, {"overflow", t.overflow},     {"subnormal", t.subnormal},
          {"zeroed", t.zeroed},     {"not_finite", t.not_finite}, {"largest", t.largest}};
}

Json weights(const toolchain::WeightScan& scan) {
  Json out{{"bytes", scan.bytes}, {"read", scan.done}};
  if (!scan.done) return out;
  out["in_fp16"] = scanned(scan.total);
  Json worst = Json::array();
  for (const toolchain::ScannedTensor& t : scan.worst) {
    Json j{{"name", t.name}, {"dtype", t.dtype}};
    j.update(scanned(t));
    worst.push_back(std::move(j));
  }
  out["worst"] = std::move(worst);
  return out;
}

Json engine(const Analysis& a) {
  if (!a.engine) return nullptr;
  const toolchain::EngineView& e = *a.engine;
  return {{"device", e.device},
          {"basis", e.basis},
          {"ops", {{"total", e.ops}, {"supported", e.supported}, {"ane", e.on_ane}}},
          {"coverage_percent", e.coverage_percent},
          {"partitions", e.partitions},
          {"latency_ms", {{"low", e.latency.low}, {"high", e.latency.high}, {"basis", e.latency.basis}}}};
}

Json prefixes(const Analysis& a) {
  Json out = Json::array();
  for (const toolchain::TensorGroup& g : a.groups) {
    out.push_back({{"prefix", g.prefix},
                   {"tensors", g.tensors},
                   {"parameters", g.parameters},
                   {"dtypes", Json(g.dtypes)},
                   {"guessed_layers", Json(g.layers)}});
  }
  return out;
}

Json tree(const Analysis& a) {
  Json out = Json::array();
  for (const toolchain::ModuleRow& m : a.tree) {
    out.push_back({{"path", m.path},
                   {"type", m.type},
                   {"depth", m.depth},
                   {"weight", m.weight},
                   {"parameters", m.parameters},
                   {"live", m.live},
                   {"ops", m.ops},
                   {"macs", m.macs}});
  }
  return out;
}

Json document(const Analysis& a, bool with_tree) {
  Json choices = Json::array();
  for (const toolchain::OutputChoice& c : a.output_choices) {
    choices.push_back({{"name", c.name},
                       {"outputs", c.outputs},
                       {"ops", c.ops},
                       {"macs", c.macs},
                       {"macs_of_fixed_matrices", c.fixed_macs},
                       {"parameters_dead", c.parameters_dead},
                       {"dead_modules", c.dead_modules}});
  }
  Json advice = Json::array();
  for (const toolchain::Advice& x : a.advice) {
    advice.push_back({{"command", x.command}, {"why", x.why}, {"effect", x.effect}, {"alternative", x.alternative}});
  }
  Json out{{"schema", "anemone.analyze/1"}, {"model", a.model}, {"network", a.network}, {"format", a.format}};
  out["layers"] = {{"total", a.layers.total},
                   {"counted", a.layers.modules ? "modules" : "operations"},
                   {"by_type", Json(a.layers.by_type)},
                   {"composition", composition(a)},
                   {"note", a.layers.note}};
  out["parameters"] = {{"total", a.parameters.total}, {"live", a.parameters.live}, {"dead", a.parameters.dead}};
  out["size_bytes"] = {{"fp32", a.fp32_bytes()}, {"fp16", a.fp16_bytes()}};
  out["macs"] = a.has_program ? Json(a.macs) : Json(nullptr);
  out["macs_of_fixed_matrices"] = a.fixed_macs;
  out["ops"] = op_counts(a.ops);
  out["inputs"] = features(a.inputs);
  out["outputs"] = features(a.outputs);
  out["dead_modules"] = a.dead_modules;
  out["output_choices"] = std::move(choices);
  out["work"] = {{"by_kind", work(a.by_kind)}, {"by_stage", work(a.by_stage)}, {"stage", a.stage_basis}};
  out["largest"] = {{"weights", tensors(a.largest_weights)}, {"activations", tensors(a.largest_activations)}};
  out["peak_activations"] = {{"bytes", a.peak.bytes}, {"at", a.peak.at}, {"live", tensors(a.peak.live)}};
  out["weights"] = weights(a.weights);
  out["dynamic"] = groups(a.dynamic);
  out["interpolation"] = groups(a.interpolation);
  out["concats"] = groups(a.concats);
  out["pads"] = groups(a.pads);
  out["layout_changes"] = groups(a.layouts);
  out["ane"] = engine(a);
  out["findings"] = findings(a.findings);
  out["advice"] = std::move(advice);
  if (!a.groups.empty()) out["prefixes"] = prefixes(a);
  if (!a.needed.empty()) out["needed"] = a.needed;
  if (with_tree) out["tree"] = tree(a);
  out["notes"] = a.notes;
  out["seconds"] = a.seconds;
  return out;
}

}  // namespace

std::string analysis_json(const Analysis& a, bool with_tree) { return dump(document(a, with_tree)); }

std::string analyses_json(const std::vector<Analysis>& analyses, bool with_tree) {
  Json list = Json::array();
  for (const Analysis& a : analyses) list.push_back(document(a, with_tree));
  return dump({{"schema", "anemone.analyze-models/1"}, {"models", list}});
}

std::string analysis_comparison_json(const Analysis& first, const Analysis& second) {
  return dump({{"schema", "anemone.analyze-comparison/1"},
               {"model", document(first, false)},
               {"other", document(second, false)}});
}

}  // namespace anemone::report
