// JSON through nlohmann's ordered objects: "schema" comes first.
#include "anemone/report/json.h"

#include <cmath>
#include <nlohmann/json.hpp>

namespace anemone::report {
namespace {

using Json = nlohmann::ordered_json;

// JSON has no infinity: identical signals have no finite PSNR.
Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json features(const std::vector<FeatureSummary>& list) {
  Json out = Json::array();
  for (const FeatureSummary& f : list) {
    Json j{{"name", f.name}, {"kind", f.kind}, {"shape", f.shape}};
    if (!f.dtype.empty()) j["dtype"] = f.dtype;
    if (!f.color.empty()) j["color"] = f.color;
    if (!f.shapes.empty()) j["shapes"] = f.shapes;
    if (!f.description.empty()) j["description"] = f.description;
    out.push_back(std::move(j));
  }
  return out;
}

Json ops(const OpCounts& counts) { return {{"total", counts.total}, {"by_type", Json(counts.by_type)}}; }

Json passes(const std::vector<PassSummary>& list) {
  Json out = Json::array();
  for (const PassSummary& p : list) {
    Json j{{"name", p.name}, {"changed", p.changed}, {"ms", p.ms}};
    if (!p.counts.empty()) j["counts"] = p.counts;
    if (!p.remarks.empty()) j["remarks"] = p.remarks;
    out.push_back(std::move(j));
  }
  return out;
}

Json side(const BenchSide& s) {
  Json types = Json::array();
  for (const auto& [type, ms] : s.by_type) types.push_back({{"type", type}, {"ms", ms}});
  return {{"model", s.model},     {"median_ms", s.median_ms}, {"p90_ms", s.p90_ms},   {"min_ms", s.min_ms},
          {"load_ms", s.load_ms}, {"macs", s.macs},           {"runs_ms", s.runs_ms}, {"by_type", types}};
}

std::string text(const Json& json) { return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"; }

}  // namespace

std::string to_json(const ConvertResult& r) {
  return text({{"schema", "anemone.convert/1"},
               {"input", r.input},
               {"output", r.output},
               {"bytes", r.bytes},
               {"precision", r.precision},
               {"target", r.target},
               {"ops", ops(r.ops)},
               {"inputs", features(r.inputs)},
               {"outputs", features(r.outputs)},
               {"functions", r.functions},
               {"outputs_left_out", r.outputs_left_out},
               {"passes", passes(r.passes)},
               {"seconds", r.seconds}});
}

std::string to_json(const RunResult& r) {
  Json outputs = Json::array();
  for (const RunOutput& o : r.outputs) {
    outputs.push_back({{"name", o.name},
                       {"shape", o.shape},
                       {"dtype", o.dtype},
                       {"file", o.file},
                       {"min", number(o.min)},
                       {"max", number(o.max)},
                       {"mean", number(o.mean)}});
  }
  return text({{"schema", "anemone.run/1"},
               {"model", r.model},
               {"folder", r.folder},
               {"outputs", outputs},
               {"notes", r.notes},
               {"seconds", r.seconds}});
}

std::string to_json(const VerifyResult& r) {
  Json outputs = Json::array();
  for (const OutputComparison& o : r.outputs) {
    outputs.push_back({{"name", o.name},
                       {"max_abs", number(o.max_abs)},
                       {"mean_abs", number(o.mean_abs)},
                       {"psnr_db", number(o.psnr_db)},
                       {"scale", number(o.scale)},
                       {"pass", o.pass}});
  }
  Json out{{"schema", "anemone.verify/1"}, {"candidate", r.candidate}, {"reference", r.reference}, {"basis", r.basis},
           {"inputs", r.inputs},           {"outputs", outputs}};
  if (r.landmarks) {
    out["landmarks"] = {{"points", r.landmarks->points},
                        {"mean_px", number(r.landmarks->mean_px)},
                        {"max_px", number(r.landmarks->max_px)},
                        {"nme_percent", r.landmarks->nme_percent ? number(*r.landmarks->nme_percent) : Json(nullptr)},
                        {"pass", r.landmarks->pass}};
  }
  out["limits"] = {{"mean_px", r.limit_mean_px}, {"max_px", r.limit_max_px}, {"psnr_db", r.limit_psnr_db}};
  out["notes"] = r.notes;
  out["pass"] = r.pass;
  return text(out);
}

std::string to_json(const BenchResult& r) {
  Json out{{"schema", "anemone.bench/1"},
           {"runs", r.runs},
           {"median_ms", r.model.median_ms},
           {"p90_ms", r.model.p90_ms},
           {"min_ms", r.model.min_ms},
           {"load_ms", r.model.load_ms},
           {"peak_rss_bytes", r.peak_rss_bytes},
           {"threads", r.threads},
           {"cpu", r.cpu},
           {"isa", r.isa},
           {"precision", r.precision},
           {"model", side(r.model)}};
  out["against"] = r.against ? side(*r.against) : Json(nullptr);
  out["ratio"] = r.ratio ? Json(*r.ratio) : Json(nullptr);
  return text(out);
}

std::string to_json(const SynthResult& r) {
  return text({{"schema", "anemone.synth/1"},
               {"output", r.output},
               {"weights", r.weights},
               {"points", r.points},
               {"tensors", r.tensors},
               {"bytes", r.bytes},
               {"parameters", {{"total", r.parameters}}},
               {"replaced", r.replaced}});
}

std::string to_json(const CheckpointListing& r) {
  Json tensors = Json::array();
  for (const ListedTensor& t : r.tensors) {
    tensors.push_back({{"path", t.path},
                       {"dtype", t.dtype},
                       {"shape", t.shape},
                       {"stride", t.stride},
                       {"offset", t.offset},
                       {"storage", t.storage},
                       {"sha256", t.sha256},
                       {"parameter", t.parameter}});
  }
  return text({{"schema", "anemone.print/1"},
               {"file", r.file},
               {"container", r.container},
               {"root", r.root},
               {"storages", r.storages},
               {"globals", r.globals},
               {"tensors", tensors}});
}

}  // namespace anemone::report
